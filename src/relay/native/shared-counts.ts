// How many connections each worker has open on each listener, in memory that all of them share: limits hold for all together.
import { checked, epoll, linux, memoryAt } from '../../ffi/index.ts';

export const maxSeats = 64;
const maxSlots = 4096;
/** For a listener that has no slot of its own, and therefore one worker: written, never read. */
export const scratchSlot = maxSlots - 1;
const size = maxSlots * maxSeats * 4;

/** Each number has one writer, the worker in that seat, so a worker that is killed leaves nothing half done. */
export class SharedCounts {
  readonly fd: number;
  private readonly numbers: Int32Array;

  /** Of a descriptor that another process has made; without one, anew. */
  constructor(fd?: number) {
    this.fd = fd ?? create();
    const { PROT_READ_WRITE, MAP_SHARED } = linux;
    const at = epoll.mmap(null, size, PROT_READ_WRITE, MAP_SHARED, this.fd, 0);
    if (BigInt.asIntN(64, BigInt(at)) === -1n) checked('mmap', -1);
    this.numbers = new Int32Array(memoryAt(BigInt(at), size).buffer, 0, maxSlots * maxSeats);
  }

  set(slot: number, seat: number, count: number): void {
    Atomics.store(this.numbers, slot * maxSeats + seat, count);
  }

  /** In all seats but this one. */
  elsewhere(slot: number, seat: number, seats: number): number {
    let sum = 0;
    for (let other = 0; other < seats; other++) {
      if (other !== seat) sum += Atomics.load(this.numbers, slot * maxSeats + other);
    }
    return sum;
  }

  /** The worker in this seat is gone, with all that it had open. */
  clear(seat: number): void {
    for (let slot = 0; slot < maxSlots; slot++) this.set(slot, seat, 0);
  }
}

/** Hands out places in the shared memory. */
export class Slots {
  private readonly taken = new Set<number>();

  /** Null where there are none left. */
  take(): number | null {
    for (let slot = 0; slot < scratchSlot; slot++) {
      if (this.taken.has(slot)) continue;
      this.taken.add(slot);
      return slot;
    }
    return null;
  }

  give(slot: number): void {
    this.taken.delete(slot);
  }
}

function create(): number {
  const fd = checked('memfd_create', epoll.memfd_create('reeve-relay', linux.MFD_CLOEXEC));
  checked('ftruncate', epoll.ftruncate(fd, size));
  return fd;
}
