// Arrays of packets that sendmmsg and recvmmsg take in one call, laid out once in memory that native code keeps.
import { nativeMemory } from '../../../ffi/index.ts';

/** struct mmsghdr (64 bytes) and struct iovec (16 bytes), the same on every 64-bit Linux. */
const headerSize = 64;
const vectorSize = 16;
const vectorAt = 16;
const vectorCountAt = 24;
const receivedAt = 56;

export interface Messages {
  /** Of the headers: what the calls take. */
  readonly pointer: bigint;
  /** Every packet's bytes, `stride` apart. */
  readonly bytes: Uint8Array;
  readonly stride: number;
  /** How long the n-th received packet is, at most `stride`. */
  lengthOf(index: number): number;
  /** The address of the n-th header, to send what is left from there. */
  pointerTo(index: number): bigint;
  free(): void;
}

export function createMessages(count: number, stride: number): Messages {
  const memory = nativeMemory(count * (headerSize + vectorSize + stride));
  const view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset, memory.bytes.length);
  memory.bytes.fill(0);
  const vectors = count * headerSize;
  const packets = vectors + count * vectorSize;
  for (let i = 0; i < count; i++) {
    view.setBigUint64(vectors + i * vectorSize, memory.pointer + BigInt(packets + i * stride), true);
    view.setBigUint64(vectors + i * vectorSize + 8, BigInt(stride), true);
    view.setBigUint64(i * headerSize + vectorAt, memory.pointer + BigInt(vectors + i * vectorSize), true);
    view.setBigUint64(i * headerSize + vectorCountAt, 1n, true);
  }
  return {
    pointer: memory.pointer,
    bytes: memory.bytes.subarray(packets),
    stride,
    lengthOf: (index) => Math.min(stride, view.getUint32(index * headerSize + receivedAt, true)),
    pointerTo: (index) => memory.pointer + BigInt(index * headerSize),
    free: memory.free,
  };
}
