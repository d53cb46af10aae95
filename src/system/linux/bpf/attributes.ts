// What bpf(2) is given: union bpf_attr of linux/bpf.h, one shape a command. Longer than a kernel knows is fine while the rest is zero.
import { type NativeMemory, nativeMemory } from '../../../ffi/index.ts';
import type { Program } from './assembler.ts';
import type { Types } from './types.ts';

export const command = { loadProgram: 5, runProgram: 10, loadTypes: 18, createLink: 28, createIterator: 33 };

const BPF_PROG_TYPE_TRACING = 26;
const BPF_PROG_TYPE_SYSCALL = 31;
const BPF_TRACE_ITER = 28;
const BPF_F_SLEEPABLE = 1 << 4;

/** Writing into an iterator's answer is only for programs under the GPL, so ours may be used under it too. */
const license = Buffer.from('Dual MIT/GPL\0');
const name = Buffer.from('reeve_who');
const inputSize = 4096;
const instructionSize = 8;
const relocationSize = 16;
const functionSize = 8;

/** Memory that the attributes point into. */
export class Input {
  readonly #memory: NativeMemory = nativeMemory(inputSize);
  #used = 0;

  /** @returns its address. */
  place(bytes: Uint8Array): bigint {
    const at = this.#used;
    this.#memory.bytes.set(bytes, at);
    this.#used = (at + bytes.length + 7) & ~7;
    return this.#memory.pointer + BigInt(at);
  }

  free(): void {
    this.#memory.free();
  }
}

/** A program that makes system calls and is run by one. */
export function loadFinder(input: Input, program: Program): Uint8Array {
  const bytes = loadProgram(input, BPF_PROG_TYPE_SYSCALL, program);
  // Required, since what it does may sleep.
  new DataView(bytes.buffer).setUint32(44, BPF_F_SLEEPABLE, true);
  return bytes;
}

/** A program for the iterator that is `target`, by the number of its type. `loaded` is the descriptor of `types`. */
export function loadTeller(
  input: Input,
  { program, types, loaded, target }: { program: Program; types: Types; loaded: number; target: number },
): Uint8Array {
  const bytes = loadProgram(input, BPF_PROG_TYPE_TRACING, program);
  const view = new DataView(bytes.buffer);
  view.setUint32(68, BPF_TRACE_ITER, true);
  view.setUint32(72, loaded, true);
  view.setUint32(76, functionSize, true);
  view.setBigUint64(80, input.place(new Uint8Array(Uint32Array.of(0, types.entry).buffer)), true);
  view.setUint32(88, 1, true);
  view.setUint32(108, target, true);
  view.setUint32(116, program.relocations.length / relocationSize, true);
  view.setBigUint64(128, input.place(program.relocations), true);
  view.setUint32(136, relocationSize, true);
  return bytes;
}

function loadProgram(input: Input, type: number, { code }: Program): Uint8Array {
  const bytes = new Uint8Array(144);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, code.length / instructionSize, true);
  view.setBigUint64(8, input.place(code), true);
  view.setBigUint64(16, input.place(license), true);
  bytes.set(name, 48);
  return bytes;
}

/** What the program returned is put into it: see `returned`. */
export function runProgram(program: number): Uint8Array {
  const bytes = new Uint8Array(80);
  new DataView(bytes.buffer).setUint32(0, program, true);
  return bytes;
}

export function returned(run: Uint8Array): number {
  return new DataView(run.buffer).getInt32(4, true);
}

export function loadTypes(input: Input, types: Types): Uint8Array {
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, input.place(types.bytes), true);
  view.setUint32(16, types.bytes.length, true);
  return bytes;
}

export function createLink(program: number): Uint8Array {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, program, true);
  view.setUint32(8, BPF_TRACE_ITER, true);
  return bytes;
}

export function createIterator(link: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, link, true);
  return bytes;
}
