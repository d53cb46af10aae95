// Every TCP and UDP socket of every process that may be looked into, over libproc.
import { ReeveError } from '../../core/errors.ts';
import type { MacCalls } from '../../ffi/index.ts';
import { createTurns } from '../linux/turns.ts';
import type { SocketRow } from '../system.ts';
import { decodeDescriptors, decodeSocket, descriptor, socketInfo } from './socket-info.ts';

const PROC_PIDLISTFDS = 1;
const PROC_PIDFDSOCKETINFO = 3;
const maxDescriptors = 1 << 20;

export interface HeldRow {
  pid: number;
  row: SocketRow;
}

export interface Scan {
  held: HeldRow[];
  /** Processes that would not be looked into: other users', without root. */
  unreadable: number;
}

export function otherLayout(what: string, bytes: number, expected: number): ReeveError {
  return new ReeveError(
    'unsupported',
    `cannot read ${what} here: this macOS tells them in ${bytes} bytes each, and ${expected} were expected`,
  );
}

export async function scanSockets(calls: MacCalls, pids: readonly number[]): Promise<Scan> {
  const scan: Scan = { held: [], unreadable: 0 };
  // More room than this layout has: a newer system's that grew tells by filling more.
  const bytes = new Uint8Array(2 * socketInfo.size);
  const turn = createTurns();
  for (const pid of pids) {
    await turn();
    const descriptors = listDescriptors(calls, pid);
    if (descriptors === null) {
      scan.unreadable += 1;
      continue;
    }
    for (const fd of descriptors) {
      // Closed meanwhile, or changed into something else: then it is no socket of this process any more.
      const filled = calls.proc_pidfdinfo(pid, fd, PROC_PIDFDSOCKETINFO, bytes, bytes.length);
      if (filled <= 0) continue;
      if (filled !== socketInfo.size) throw otherLayout('sockets', filled, socketInfo.size);
      const row = decodeSocket(bytes);
      if (row) scan.held.push({ pid, row });
    }
  }
  return scan;
}

/** Null where it may not be asked, or has ended: both give nothing, and every process that runs has a descriptor. */
function listDescriptors(calls: MacCalls, pid: number): number[] | null {
  for (let room = 1024; room <= maxDescriptors; room *= 4) {
    const bytes = new Uint8Array(room * descriptor.size);
    const filled = calls.proc_pidinfo(pid, PROC_PIDLISTFDS, 0, bytes, bytes.length);
    if (filled <= 0) return null;
    // Filled to the brim, there may be more.
    if (filled < bytes.length) return decodeDescriptors(bytes, filled);
  }
  return null;
}
