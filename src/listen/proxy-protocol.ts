// Finding a PROXY header at the start of a stream, and writing one, of version 1 or 2. No I/O.
import { more, type Parsed, type ProxyHeader, type ProxyVersion, wrong } from './proxy-header.ts';
import { parseV1, writeV1 } from './proxy-v1.ts';
import { parseV2, signature, writeV2 } from './proxy-v2.ts';

/** Decides as soon as it can: bytes that can no longer become a header are wrong at once. */
export function parseProxyHeader(bytes: Buffer, accept: true | ProxyVersion): Parsed<ProxyHeader> {
  if (bytes.length === 0) return more;
  // The first byte tells: 'P' or CR.
  const version = bytes[0] === signature[0] ? 'v2' : 'v1';
  if (accept !== true && accept !== version) return wrong(`not a PROXY header of ${accept}`);
  return version === 'v2' ? parseV2(bytes) : parseV1(bytes);
}

/** In version 1, whatever is not TCP over IP is written as UNKNOWN, and TLVs cannot be said. */
export function writeProxyHeader(version: ProxyVersion, header: ProxyHeader): Buffer {
  return version === 'v1' ? writeV1(header) : writeV2(header);
}
