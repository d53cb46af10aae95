// Asks macOS: the calls that fill buffers, their sizes and their refusals. What the bytes mean is decoded elsewhere.
import { OsError } from '../../core/errors.ts';
import { checked, type MacCalls } from '../../ffi/index.ts';
import {
  type Arguments,
  decodeArguments,
  decodeFolder,
  decodeProcesses,
  folderInfo,
  type ListedProcess,
  processInfo,
  textAt,
} from './process-info.ts';
import { otherLayout } from './scan.ts';

// bsd/sys/sysctl.h
const CTL_KERN = 1;
const KERN_ARGMAX = 8;
const KERN_PROC = 14;
const KERN_PROC_ALL = 0;
const KERN_PROC_PID = 1;
const KERN_PROCARGS2 = 49;
// bsd/sys/proc_info.h
const PROC_PIDVNODEPATHINFO = 9;
const maxPath = 4096;
const maxList = 1 << 26;

export interface Ask {
  /** All that run; also those of other users. */
  processes(): ListedProcess[];
  process(pid: number): ListedProcess | null;
  /** Null where they may not be read: another user's, or gone. */
  arguments(pid: number): Arguments | null;
  program(pid: number): string | null;
  folder(pid: number): string | null;
  /** An integer of 32 bits by its name; null where there is none. */
  setting(name: string): number | null;
}

export function createAsk(calls: MacCalls): Ask {
  const read = (name: number[], size: number) => sysctl(calls, name, size);
  let argumentSize: number | null = null;

  return {
    processes() {
      // Processes start while it is asked: room is doubled until the list leaves some of it.
      for (let size = 1024 * processInfo.size; size <= maxList; size *= 2) {
        const bytes = read([CTL_KERN, KERN_PROC, KERN_PROC_ALL], size);
        if (bytes !== 'too-small') return decodeProcesses(wholeOnes(bytes), bytes.length);
      }
      return [];
    },
    process(pid) {
      const bytes = quietly(() => read([CTL_KERN, KERN_PROC, KERN_PROC_PID, pid], processInfo.size));
      return bytes === null || bytes === 'too-small'
        ? null
        : (decodeProcesses(bytes, bytes.length)[0] ?? null);
    },
    arguments(pid) {
      argumentSize ??= integer(quietly(() => read([CTL_KERN, KERN_ARGMAX], 4))) ?? 1 << 20;
      const size = argumentSize;
      const bytes = quietly(() => read([CTL_KERN, KERN_PROCARGS2, pid], size));
      return bytes === null || bytes === 'too-small' ? null : decodeArguments(bytes);
    },
    program(pid) {
      const bytes = new Uint8Array(maxPath);
      const length = calls.proc_pidpath(pid, bytes, bytes.length);
      return length > 0 ? textAt(bytes, 0, length) : null;
    },
    folder(pid) {
      const bytes = new Uint8Array(folderInfo.size);
      const filled = calls.proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, bytes, bytes.length);
      return filled >= folderInfo.size ? decodeFolder(bytes) : null;
    },
    setting(name) {
      const bytes = new Uint8Array(4);
      const size = sizeOf(4);
      return calls.sysctlbyname(name, bytes, size, null, 0) === 0 ? integer(bytes) : null;
    },
  };
}

/** As many bytes as were filled. @throws OsError */
function sysctl(calls: MacCalls, name: number[], room: number): Uint8Array | 'too-small' {
  const bytes = new Uint8Array(room);
  const size = sizeOf(room);
  const numbers = new Uint8Array(Int32Array.from(name).buffer);
  try {
    checked('sysctl', calls.sysctl(numbers, name.length, bytes, size, null, 0));
  } catch (error) {
    if (error instanceof OsError && error.code === 'ENOMEM') return 'too-small';
    throw error;
  }
  return bytes.subarray(0, Number(new DataView(size.buffer).getBigUint64(0, true)));
}

function wholeOnes(bytes: Uint8Array): Uint8Array {
  if (bytes.length % processInfo.size === 0) return bytes;
  throw otherLayout('processes', bytes.length, processInfo.size);
}

/** A size_t. */
function sizeOf(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

function integer(bytes: Uint8Array | 'too-small' | null): number | null {
  if (bytes === null || bytes === 'too-small' || bytes.length < 4) return null;
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
}

/** A process that has ended, or may not be asked, is no fault. */
function quietly<Result>(ask: () => Result): Result | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof OsError) return null;
    throw error;
  }
}
