// The texts of /proc/PID (proc(5)) as values. Pure, since every byte in them may be chosen by the process itself.

export interface ProcessStat {
  pid: number;
  /** At most 15 bytes; may hold spaces, parentheses and newlines. */
  name: string;
  state: string;
  parent: number;
  threads: number;
  /** Clock ticks from boot to its start. */
  startTicks: string;
}

/** Reads /proc/PID/stat; null where the text is not that. */
export function parseStat(text: string): ProcessStat | null {
  const open = text.indexOf(' (');
  // The name may hold ')' and more, but no field after it can.
  const close = text.lastIndexOf(') ');
  if (open <= 0 || close < open) return null;
  const pid = Number(text.slice(0, open));
  const fields = text.slice(close + 2).split(' ');
  const [state = '', parent] = fields;
  // Fields 20 and 22 of proc(5), counted there from 1 with state as the third.
  const threads = fields[17];
  const startTicks = fields[19];
  if (!Number.isInteger(pid) || !/^\d+$/.test(parent ?? '') || !/^\d+$/.test(startTicks ?? '')) return null;
  return {
    pid,
    name: text.slice(open + 2, close),
    state,
    parent: Number(parent),
    threads: Number(threads),
    startTicks: startTicks!,
  };
}

/** CPU time of a process and of the children it has waited for, and its resident pages, in /proc/PID/stat. */
export function parseUsage(text: string): { ticks: number; pages: number } | null {
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ');
  // Fields 14 to 17 and 24 of proc(5).
  const times = fields.slice(11, 15).map(Number);
  const pages = Number(fields[21]);
  if (times.length < 4 || [...times, pages].some(Number.isNaN)) return null;
  return { ticks: times.reduce((all, one) => all + one, 0), pages };
}

/** A zombie has ended. Not so where only its first thread has, which shows the same state while others run on. */
export function hasEnded(stat: ProcessStat): boolean {
  return (stat.state === 'Z' || stat.state === 'X') && !(stat.threads > 1);
}

/** Arguments; empty for a kernel thread or a zombie. A process that overwrote them (a title) gives what it wrote. */
export function parseCommandLine(text: string): string[] {
  if (text === '') return [];
  return text.replace(/\0+$/, '').split('\0');
}

/** The effective user in /proc/PID/status: `Uid:\treal\teffective\tsaved\tfilesystem`. */
export function parseUid(status: string): number | null {
  const match = /^Uid:\s+\d+\s+(\d+)/m.exec(status);
  return match ? Number(match[1]) : null;
}

/** Effective capabilities in /proc/PID/status, as a bit set. */
export function parseCapabilities(status: string): bigint {
  const match = /^CapEff:\s+([0-9a-f]+)/m.exec(status);
  return match ? BigInt(`0x${match[1]}`) : 0n;
}

/** Seconds since the epoch at which the machine started, in /proc/stat. */
export function parseBootTime(text: string): number | null {
  const match = /^btime (\d+)/m.exec(text);
  return match ? Number(match[1]) : null;
}

/** The name of a user in /etc/passwd. */
export function findUser(passwd: string, uid: number): string | null {
  for (const line of passwd.split('\n')) {
    const [name, , number] = line.split(':');
    if (name && number !== undefined && /^\d+$/.test(number) && Number(number) === uid) return name;
  }
  return null;
}

/**
 * Whether the kernel's name may not be what a person calls the program: it is cut after 15 bytes, and Node names its
 * first thread (seen: 20 and 22 `node`, 24 `MainThread`, 26 `node-MainThread`).
 */
export function isNameDoubtful(name: string): boolean {
  return Buffer.byteLength(name) >= 15 || name === 'MainThread';
}

/** What a person calls the program: where the kernel's name is doubtful, its own file name tells more. */
export function programName(name: string, command: string[]): string {
  const file = (command[0] ?? '').split(' ')[0]!.split('/').at(-1)!;
  const isOfNode = name === 'MainThread' || name === 'node-MainThread';
  return file !== '' && (isOfNode || (isNameDoubtful(name) && file.startsWith(name))) ? file : name;
}
