// What netsh prints, read by its numbers: its words are in the language of the system. Pure.
import type { PortRange } from '../../core/range.ts';

export interface ExcludedRanges {
  /** Refused to everybody: WinNAT's for Hyper-V, WSL and Docker, http.sys's, services' own. */
  excluded: PortRange[];
  /** Starred: set aside by an administrator, kept from outgoing connections, open to who asks for the port itself. */
  administered: PortRange[];
}

/** `netsh int ipv4 show excludedportrange protocol=tcp`: rows of two ports and perhaps a star. */
export function parseExcludedRanges(text: string): ExcludedRanges {
  const found: ExcludedRanges = { excluded: [], administered: [] };
  for (const line of text.split('\n')) {
    const match = /^\s*(\d{1,5})\s+(\d{1,5})\s*(\*?)\s*$/.exec(line);
    if (!match) continue;
    const range = { first: Number(match[1]), last: Number(match[2]) };
    if (range.first > range.last || range.last > 65_535) continue;
    found[match[3] === '*' ? 'administered' : 'excluded'].push(range);
  }
  return found;
}

/** `netsh int ipv4 show dynamicport tcp`: the first port, and how many; null where it says neither. */
export function parseDynamicPorts(text: string): PortRange | null {
  const numbers = [...text.matchAll(/:\s*(\d{1,5})\s*$/gm)].map(([, digits]) => Number(digits));
  const [first, count] = numbers;
  if (numbers.length !== 2 || first === undefined || !count) return null;
  const last = first + count - 1;
  return last <= 65_535 ? { first, last } : null;
}

/** One queue of http.sys, by what programs registered. */
export interface HttpQueue {
  urls: string[];
  /** Of the programs that serve it. */
  pids: number[];
}

/** `netsh http show servicestate view=requestq`: blocks of one request queue each, with PIDs and URLs in them. */
export function parseServiceState(text: string): HttpQueue[] {
  const queues: HttpQueue[] = [];
  // A block begins at the margin (or nearly), and all that belongs to it is indented deeper.
  const lines = text.split(/\r?\n/);
  let queue: HttpQueue | null = null;
  let margin = 0;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const indent = line.length - line.trimStart().length;
    const url = /\b(https?:\/\/\S+)/i.exec(line)?.[1];
    const pid = /\bID: (\d{1,10}),/.exec(line)?.[1];
    if (url !== undefined) queue?.urls.push(url);
    else if (pid !== undefined) queue?.pids.push(Number(pid));
    else if (queue === null || indent <= margin) {
      queue = { urls: [], pids: [] };
      margin = indent;
      queues.push(queue);
    }
  }
  return queues.filter(({ urls }) => urls.length > 0);
}

/** `netsh http show urlacl`: the URLs that are reserved for somebody. */
export function parseUrlReservations(text: string): string[] {
  return [...text.matchAll(/:\s*(https?:\/\/\S+)\s*$/gim)].map(([, url]) => url!);
}

/** `http://+:80/x` → 80; the scheme's own where it has none. http.sys writes also `HTTP://127.0.0.1:80:127.0.0.1/`. */
export function portOfUrl(url: string): number | null {
  const match = /^(https?):\/\/(?:\[[^\]]*\]|[^:/]+)(?::(\d{1,5}))?(?=[:/]|$)/i.exec(url);
  if (!match) return null;
  return match[2] ? Number(match[2]) : match[1]!.toLowerCase() === 'https' ? 443 : 80;
}
