// The Windows services that run, by process, and the one service of a shared process that opened a socket.
import { addressOf, advapi32, service, utf16, wideTextAt } from '../../ffi/index.ts';

/** ENUM_SERVICE_STATUS_PROCESSW on 64 bits: two pointers, then nine DWORDs, padded to 56 bytes. */
const layout = { size: 56, name: 0, pid: 16 + 28 } as const;
const keptMs = 1000;

/** `base` is where the bytes are in memory; `count` rows from their beginning. Names by the PID of their process. */
export function decodeServices(bytes: Uint8Array, base: bigint, count: number): Map<number, string[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<number, string[]>();
  for (let i = 0; i < count && (i + 1) * layout.size <= bytes.length; i++) {
    const at = i * layout.size;
    const pid = view.getUint32(at + layout.pid, true);
    const start = Number(view.getBigUint64(at + layout.name, true) - base);
    if (pid === 0 || start < 0 || start >= bytes.length) continue;
    const name = textAt(bytes, start);
    found.set(pid, [...(found.get(pid) ?? []), name]);
  }
  return found;
}

function textAt(bytes: Uint8Array, start: number): string {
  let end = start;
  while (end + 1 < bytes.length && (bytes[end] !== 0 || bytes[end + 1] !== 0)) end += 2;
  return utf16(bytes.subarray(start, end), (end - start) / 2);
}

export interface RunningServices {
  /** All names of services in this process, sorted. */
  inProcess(pid: number): string[];
  /** The name of the one with this tag; null where it cannot be told. */
  byTag(pid: number, tag: number): string | null;
}

/** The list is read again after a second. */
export function createRunningServices(now: () => number): RunningServices {
  let list = new Map<number, string[]>();
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    inProcess(pid) {
      if (now() - readAt > keptMs) {
        list = readServices();
        readAt = now();
      }
      return (list.get(pid) ?? []).toSorted();
    },
    byTag: (pid, tag) => (tag === 0 ? null : nameOfTag(pid, tag)),
  };
}

/** Empty where the service manager may not be asked: then a process is no more than its name. */
function readServices(): Map<number, string[]> {
  const manager = advapi32.OpenSCManagerW(null, null, service.SC_MANAGER_ENUMERATE_SERVICE);
  if (manager === 0) return new Map();
  try {
    for (let size = 65_536; size <= 1 << 20; size *= 4) {
      // At most 256 KiB a call (EnumServicesStatusExW); more services than that, and the rest stays unnamed.
      const bytes = new Uint8Array(Math.min(size, 262_144));
      const counts = [new Uint8Array(4), new Uint8Array(4), new Uint8Array(4)] as const;
      const done = advapi32.EnumServicesStatusExW(
        manager,
        service.SC_ENUM_PROCESS_INFO,
        service.SERVICE_WIN32,
        service.SERVICE_ACTIVE,
        bytes,
        bytes.length,
        ...counts,
        null,
      );
      const count = new DataView(counts[1].buffer).getUint32(0, true);
      if (done !== 0 || size > 262_144) return decodeServices(bytes, addressOf(bytes), count);
    }
    return new Map();
  } finally {
    advapi32.CloseServiceHandle(manager);
  }
}

/** ServiceNameFromTagInformation, and the structure that goes in and out with it: PID, tag, type, name. */
const nameFromTag = 1;

function nameOfTag(pid: number, tag: number): string | null {
  const query = new Uint8Array(24);
  const view = new DataView(query.buffer);
  view.setUint32(0, pid, true);
  view.setUint32(4, tag, true);
  try {
    if (advapi32.I_QueryTagInformation(null, nameFromTag, query) !== 0) return null;
  } catch {
    // Not exported here: the services of the whole process are what can be said.
    return null;
  }
  const pointer = view.getBigUint64(16, true);
  if (pointer === 0n) return null;
  // A service's name has at most 256 characters. The few bytes stay with the system: they are LocalAlloc'ed.
  return wideTextAt(pointer, 257) || null;
}
