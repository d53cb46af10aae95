// PROXY protocol version 1: one line of text. No I/O.
import { isIPv4, isIPv6 } from 'node:net';
import { unmapped } from '../core/address.ts';
import { type HostAndPort, more, type Parsed, type ProxyHeader, wrong } from './proxy-header.ts';

/** With its CR LF (§2.1). */
export const longestV1 = 107;

const start = 'PROXY ';

export function parseV1(bytes: Buffer): Parsed<ProxyHeader> {
  const text = bytes.toString('latin1', 0, longestV1);
  if (!text.startsWith(start.slice(0, text.length))) return wrong('it does not start with PROXY');
  const end = text.indexOf('\n');
  if (end < 0) return text.length < longestV1 ? more : wrong(`no line ends within ${longestV1} bytes`);
  if (text[end - 1] !== '\r') return wrong('the line does not end in CR LF');
  const header = parseLine(text.slice(start.length, end - 1));
  return typeof header === 'string' ? wrong(header) : { state: 'done', length: end + 1, value: header };
}

function parseLine(line: string): ProxyHeader | string {
  const [kind, source, destination, sourcePort, destinationPort, ...rest] = line.split(' ');
  // What follows UNKNOWN is to be ignored.
  if (kind === 'UNKNOWN') return { command: 'proxy', ends: null, tlvs: [], checksum: false };
  if (kind !== 'TCP4' && kind !== 'TCP6') return 'neither TCP4, TCP6 nor UNKNOWN';
  if (destinationPort === undefined || rest.length > 0) return 'not two addresses and two ports';
  const isAddress = kind === 'TCP4' ? isIPv4 : isPlainIPv6;
  if (!isAddress(source!) || !isAddress(destination!)) return `an address is not one of ${kind}`;
  if (!isPort(sourcePort!) || !isPort(destinationPort)) return 'a port is no number from 0 to 65535';
  return {
    command: 'proxy',
    ends: {
      family: kind === 'TCP4' ? 'ipv4' : 'ipv6',
      transport: 'stream',
      source: { address: source!, port: Number(sourcePort) },
      destination: { address: destination!, port: Number(destinationPort) },
    },
    tlvs: [],
    checksum: false,
  };
}

/** No zone: it means nothing on another machine. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** No sign, no leading zero. */
function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

export function writeV1({ command, ends }: ProxyHeader): Buffer {
  if (command === 'local' || !ends || ends.family === 'unix' || ends.transport !== 'stream') {
    return Buffer.from('PROXY UNKNOWN\r\n');
  }
  const { family, source, destination } = ends;
  const kind = family === 'ipv4' ? 'TCP4' : 'TCP6';
  const [from, to] = [source, destination].map((end) => addressIn(family, end));
  return Buffer.from(`${start}${kind} ${from} ${to} ${source.port} ${destination.port}\r\n`);
}

function addressIn(family: 'ipv4' | 'ipv6', { address }: HostAndPort): string {
  return family === 'ipv4' ? unmapped(address) : address.split('%')[0]!;
}
