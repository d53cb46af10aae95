// Socket addresses as Linux has them in memory (struct sockaddr_in and sockaddr_in6), to text and back. Pure.
import { addressBytes, formatAddressBytes } from '../../core/address.ts';
import { linux } from '../../ffi/index.ts';

/** Room for either family. */
export const sockaddrSize = 28;

export interface PeerAddress {
  /** IPv4 as such also where it came over a dual-stack socket. */
  address: string;
  port: number;
}

/** Decodes one after the other, and keeps the last text: the next caller often has the same address. */
export class SockaddrReader {
  private word = 0;
  private address = '0.0.0.0';

  read(bytes: Uint8Array): PeerAddress | null {
    if ((bytes[0]! | (bytes[1]! << 8)) !== linux.AF_INET) return decodeSockaddr(bytes);
    const word = bytes[4]! | (bytes[5]! << 8) | (bytes[6]! << 16) | (bytes[7]! << 24);
    if (word !== this.word) {
      this.word = word;
      this.address = formatAddressBytes('ipv4', bytes, 4);
    }
    return { address: this.address, port: (bytes[2]! << 8) | bytes[3]! };
  }
}

/** Null for another family, or none. */
export function decodeSockaddr(bytes: Uint8Array): PeerAddress | null {
  const family = bytes[0]! | (bytes[1]! << 8);
  const port = (bytes[2]! << 8) | bytes[3]!;
  if (family === linux.AF_INET) return { address: formatAddressBytes('ipv4', bytes, 4), port };
  if (family !== linux.AF_INET6) return null;
  if (isMapped(bytes)) return { address: formatAddressBytes('ipv4', bytes, 20), port };
  return { address: formatAddressBytes('ipv6', bytes, 8), port };
}

function isMapped(bytes: Uint8Array): boolean {
  for (let at = 8; at < 18; at++) if (bytes[at] !== 0) return false;
  return bytes[18] === 0xff && bytes[19] === 0xff;
}

/** @throws RangeError for what is no IP address. A zone (`%2`) must be a number by now. */
export function encodeSockaddr(address: string, port: number): Uint8Array {
  const ip = addressBytes(address);
  if (!ip) throw new RangeError(`no IP address: '${address}'`);
  const bytes = new Uint8Array(ip.length === 4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ip.length === 4 ? linux.AF_INET : linux.AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(ip, ip.length === 4 ? 4 : 8);
  const zone = address.split('%')[1];
  if (ip.length === 16 && zone !== undefined) view.setUint32(24, Number(zone), true);
  return bytes;
}
