// The bytes that macOS tells of processes, as facts: kinfo_proc, KERN_PROCARGS2, proc_vnodepathinfo. Pure.

export interface ListedProcess {
  pid: number;
  parent: number;
  /** Of processes. */
  group: number;
  uid: number;
  /** At most 16 bytes of the program's name. */
  name: string;
  /** Seconds and microseconds since the epoch. */
  start: string;
  startedAt: Date;
}

/**
 * struct kinfo_proc of bsd/sys/sysctl.h, with extern_proc of bsd/sys/proc.h first (XNU, 64 bits). Unlike
 * PROC_PIDTBSDINFO, which is for processes of the same user alone (proc_info.c), everybody may ask for it.
 */
export const processInfo = {
  size: 648,
  startSeconds: 0,
  startMicroseconds: 8,
  state: 36,
  pid: 40,
  name: 243,
  nameSize: 17,
  uid: 420,
  parent: 560,
  group: 564,
} as const;

/** p_stat: has ended, and waits for its parent. */
const SZOMB = 5;

/** Zombies are left out: they have ended. */
export function decodeProcesses(bytes: Uint8Array, filled: number): ListedProcess[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: ListedProcess[] = [];
  for (let at = 0; at + processInfo.size <= Math.min(filled, bytes.length); at += processInfo.size) {
    const pid = view.getInt32(at + processInfo.pid, true);
    if (pid <= 0 || view.getUint8(at + processInfo.state) === SZOMB) continue;
    const seconds = Number(view.getBigInt64(at + processInfo.startSeconds, true));
    const microseconds = view.getInt32(at + processInfo.startMicroseconds, true);
    found.push({
      pid,
      parent: view.getInt32(at + processInfo.parent, true),
      group: view.getInt32(at + processInfo.group, true),
      uid: view.getUint32(at + processInfo.uid, true),
      name: textAt(bytes, at + processInfo.name, processInfo.nameSize),
      start: `${seconds}.${String(microseconds).padStart(6, '0')}`,
      startedAt: new Date(seconds * 1000 + Math.floor(microseconds / 1000)),
    });
  }
  return found;
}

export interface Arguments {
  command: string[];
  /** `NAME=value`, each; empty where the system hides them, as it does of its own programs. */
  environment: string[];
}

/** KERN_PROCARGS2: argc, the path of the program, NULs, then argc arguments and the environment, each with its NUL. */
export function decodeArguments(bytes: Uint8Array): Arguments {
  if (bytes.length < 4) return { command: [], environment: [] };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.max(0, view.getInt32(0, true));
  let at = endOf(bytes, 4);
  while (at < bytes.length && bytes[at] === 0) at += 1;
  const texts: string[] = [];
  while (at < bytes.length) {
    const end = endOf(bytes, at);
    // After the last variable come strings of the loader's own, parted by an empty one.
    if (end === at && texts.length >= count) break;
    texts.push(Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString());
    at = end + 1;
  }
  return { command: texts.slice(0, count), environment: texts.slice(count) };
}

/** struct proc_vnodepathinfo: the working directory's vnode_info of 152 bytes, then its path; the root's follows. */
export const folderInfo = { size: 2352, path: 152, pathSize: 1024 } as const;

export function decodeFolder(bytes: Uint8Array): string | null {
  if (bytes.length < folderInfo.size) return null;
  return textAt(bytes, folderInfo.path, folderInfo.pathSize) || null;
}

/** Up to a NUL. */
export function textAt(bytes: Uint8Array, at: number, size: number): string {
  const part = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(size, bytes.length - at));
  const end = part.indexOf(0);
  return part.toString('utf8', 0, end < 0 ? part.length : end);
}

function endOf(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(0, at);
  return end < 0 ? bytes.length : end;
}
