// TCP segments of a SYN scan: written, checksummed and read. Pure.

/** A TCP header with one option, the maximum segment size: some firewalls drop a SYN that has none. */
export const synLength = 24;

const protocolTcp = 6;
const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const segmentSize = 1460;

/** One's complement sum of 16-bit words (RFC 1071), carries not yet folded in. */
function sumWords(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  return bytes.length % 2 === 1 ? sum + (bytes[bytes.length - 1]! << 8) : sum;
}

function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

/** Writes segments that differ in port and sequence number alone; what they share is summed up once. */
export interface SynWriter {
  write(bytes: Uint8Array, offset: number, port: number, sequence: number): void;
}

/** Both addresses in network order, 4 or 16 bytes each: the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) has them. */
export function createSynWriter(source: Uint8Array, target: Uint8Array, sourcePort: number): SynWriter {
  const template = new Uint8Array(synLength);
  const view = new DataView(template.buffer);
  view.setUint16(0, sourcePort);
  template[12] = (synLength / 4) << 4;
  template[13] = SYN;
  view.setUint16(14, 0xffff);
  view.setUint32(20, (2 << 24) | (4 << 16) | segmentSize);
  const shared = sumWords(template, sumWords(source, sumWords(target, protocolTcp + synLength)));
  return {
    write(bytes, offset, port, sequence) {
      bytes.set(template, offset);
      const high = sequence >>> 16;
      const low = sequence & 0xffff;
      const checksum = fold(shared + port + high + low);
      put16(bytes, offset + 2, port);
      put16(bytes, offset + 4, high);
      put16(bytes, offset + 6, low);
      put16(bytes, offset + 16, checksum);
    },
  };
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 255;
}

export interface Reply {
  /** The scanned one. */
  port: number;
  ownPort: number;
  /** What it acknowledges: our sequence number plus one. */
  acknowledged: number;
  answer: 'open' | 'closed';
}

/**
 * What answers a SYN: SYN+ACK or RST+ACK. Null for anything else, cut off or malformed. `withHeader`: the packet
 * begins with its IPv4 header, as raw IPv4 sockets give it; IPv6 ones leave it out (raw(7), ipv6(7)).
 */
export function readReply(packet: Uint8Array, withHeader: boolean): Reply | null {
  let at = 0;
  if (withHeader) {
    if (packet.length < 20 || packet[0]! >> 4 !== 4 || packet[9] !== protocolTcp) return null;
    at = (packet[0]! & 15) * 4;
    if (at < 20) return null;
  }
  if (packet.length < at + 20) return null;
  const flags = packet[at + 13]!;
  if ((flags & ACK) === 0 || (flags & FIN) !== 0) return null;
  const isReset = (flags & RST) !== 0;
  if (isReset === ((flags & SYN) !== 0)) return null;
  const get16 = (offset: number) => (packet[at + offset]! << 8) | packet[at + offset + 1]!;
  return {
    port: get16(0),
    ownPort: get16(2),
    acknowledged: ((get16(8) << 16) | get16(10)) >>> 0,
    answer: isReset ? 'closed' : 'open',
  };
}
