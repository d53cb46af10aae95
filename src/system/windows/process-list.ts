// The bytes of SystemProcessInformation as processes, and Windows' notion of time. Pure.

export interface ListedProcess {
  pid: number;
  parent: number;
  /** FILETIME: 100 ns since 1601. */
  created: bigint;
  name: string;
}

/** SYSTEM_PROCESS_INFORMATION on 64 bits (winternl.h, and NtDoc for what that calls Reserved). */
const at = { next: 0, created: 32, nameLength: 56, namePointer: 64, pid: 80, parent: 88, end: 96 } as const;

/** `base` is where the bytes are in memory: names are pointers into them. */
export function decodeProcessList(bytes: Uint8Array, base: bigint): ListedProcess[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: ListedProcess[] = [];
  for (let entry = 0; entry + at.end <= bytes.length; ) {
    const pid = Number(view.getBigUint64(entry + at.pid, true));
    const length = view.getUint16(entry + at.nameLength, true);
    const start = Number(view.getBigUint64(entry + at.namePointer, true) - base);
    const inside = length > 0 && start >= 0 && start + length <= bytes.length;
    found.push({
      pid,
      parent: Number(view.getBigUint64(entry + at.parent, true)),
      created: view.getBigUint64(entry + at.created, true),
      name: inside
        ? Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf16le')
        : pid === 0
          ? 'System Idle Process'
          : pid === 4
            ? 'System'
            : `PID ${pid}`,
    });
    const next = view.getUint32(entry + at.next, true);
    if (next === 0) break;
    entry += next;
  }
  return found;
}

const from1601to1970 = 116_444_736_000_000_000n;

export function fileTime(value: bigint): Date | null {
  return value === 0n ? null : new Date(Number((value - from1601to1970) / 10_000n));
}
