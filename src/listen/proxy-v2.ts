// PROXY protocol version 2: a binary header with typed fields after the addresses. No I/O.
import { addressBytes, formatAddressBytes, unmapped } from '../core/address.ts';
import { crc32c } from './crc32c.ts';
import {
  more,
  type Parsed,
  type ProxyEnds,
  type ProxyHeader,
  type ProxyTransport,
  type Tlv,
  wrong,
} from './proxy-header.ts';

export const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/**
 * After the 16 bytes that every header has. The protocol allows 65,535; what senders add (names, a client certificate)
 * is far below this.
 */
export const longestV2 = 8192;

const fixed = 16;
const unixPath = 108;
const tlvHead = 3;
const checksumType = 0x03;

const families = { ipv4: 1, ipv6: 2, unix: 3 } as const;
const transports = { stream: 1, dgram: 2 } as const;
/** Bytes of the addresses and ports. */
const endsLength = { ipv4: 12, ipv6: 36, unix: 2 * unixPath } as const;

export function parseV2(bytes: Buffer): Parsed<ProxyHeader> {
  const known = Math.min(bytes.length, signature.length);
  if (signature.compare(bytes, 0, known, 0, known) !== 0)
    return wrong('the signature is not that of version 2');
  if (bytes.length < fixed) return more;
  const command = bytes[12]!;
  if (command >> 4 !== 2) return wrong(`version ${command >> 4}, where 2 is accepted`);
  if ((command & 15) > 1) return wrong(`command ${command & 15}, where 0 and 1 are accepted`);
  const rest = bytes.readUInt16BE(14);
  if (rest > longestV2) return wrong(`${rest} bytes long, where ${longestV2} are accepted`);
  const length = fixed + rest;
  if (bytes.length < length) return more;
  // LOCAL: everything else is to be ignored (§2.2).
  if ((command & 15) === 0) {
    return { state: 'done', length, value: { command: 'local', ends: null, tlvs: [], checksum: false } };
  }
  const header = parseProxied(bytes.subarray(0, length));
  return typeof header === 'string' ? wrong(header) : { state: 'done', length, value: header };
}

function parseProxied(bytes: Buffer): ProxyHeader | string {
  const kind = bytes[13]!;
  const family = nameOf(families, kind >> 4);
  const transport = nameOf(transports, kind & 15);
  if (kind !== 0 && (!family || !transport)) return `family and transport 0x${kind.toString(16)} are unknown`;
  const addresses = family ? endsLength[family] : 0;
  if (bytes.length < fixed + addresses) return 'too short for its addresses';
  const tlvs = parseTlvs(bytes, fixed + addresses);
  if (typeof tlvs === 'string') return tlvs;
  return {
    command: 'proxy',
    ends: family && transport ? parseEnds(bytes.subarray(fixed), family, transport) : null,
    ...tlvs,
  };
}

function nameOf<Name extends string>(numbers: Record<Name, number>, number: number): Name | undefined {
  return (Object.keys(numbers) as Name[]).find((name) => numbers[name] === number);
}

function parseEnds(block: Buffer, family: keyof typeof families, transport: ProxyTransport): ProxyEnds {
  if (family === 'unix') {
    const path = (at: number) => Buffer.from(block.subarray(at, at + unixPath));
    return { family, transport, source: path(0), destination: path(unixPath) };
  }
  const size = family === 'ipv4' ? 4 : 16;
  const end = (index: number) => ({
    address: formatAddressBytes(family, block, index * size),
    port: block.readUInt16BE(2 * size + 2 * index),
  });
  return { family, transport, source: end(0), destination: end(1) };
}

function parseTlvs(bytes: Buffer, start: number): Pick<ProxyHeader, 'tlvs' | 'checksum'> | string {
  const tlvs: Tlv[] = [];
  let checksum = false;
  for (let at = start; at < bytes.length; ) {
    if (bytes.length - at < tlvHead) return 'bytes are left that are no field';
    const type = bytes[at]!;
    const end = at + tlvHead + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return `field 0x${type.toString(16)} is longer than the header`;
    if (type !== checksumType) tlvs.push({ type, value: Buffer.from(bytes.subarray(at + tlvHead, end)) });
    else if (checksum) return 'two checksums';
    else if (!checksumFits(bytes, at + tlvHead, end)) return 'the checksum is wrong';
    else checksum = true;
    at = end;
  }
  return { tlvs, checksum };
}

/** Over the whole header, with zeros where the checksum stands (§2.2.3). */
function checksumFits(bytes: Buffer, at: number, end: number): boolean {
  if (end - at !== 4) return false;
  const zeroed = Buffer.from(bytes);
  zeroed.writeUInt32BE(0, at);
  return crc32c(zeroed) === bytes.readUInt32BE(at);
}

export function writeV2({ command, ends, tlvs, checksum }: ProxyHeader): Buffer {
  const kind = ends ? (families[ends.family] << 4) | transports[ends.transport] : 0;
  const fields = command === 'local' ? [] : tlvs.map(writeTlv);
  if (checksum && command === 'proxy') fields.push(writeTlv({ type: checksumType, value: Buffer.alloc(4) }));
  const body = Buffer.concat([...(ends && command === 'proxy' ? writeEnds(ends) : []), ...fields]);
  const head = Buffer.alloc(fixed);
  signature.copy(head);
  head[12] = 0x20 | (command === 'proxy' ? 1 : 0);
  head[13] = command === 'proxy' ? kind : 0;
  head.writeUInt16BE(body.length, 14);
  const header = Buffer.concat([head, body]);
  if (checksum && command === 'proxy') header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

function writeTlv({ type, value }: Tlv): Buffer {
  const head = Buffer.from([type, value.length >> 8, value.length & 255]);
  return Buffer.concat([head, value]);
}

function writeEnds(ends: ProxyEnds): Uint8Array[] {
  if (ends.family === 'unix') return [ends.source, ends.destination];
  const { family, source, destination } = ends;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const bytes = ({ address }: { address: string }) =>
    addressBytes(family === 'ipv4' ? unmapped(address) : address)!;
  return [bytes(source), bytes(destination), ports];
}
