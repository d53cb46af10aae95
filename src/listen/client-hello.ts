// Reads the server name and protocols out of a TLS ClientHello without answering it. Strict and bounded. No I/O.
// (RFC 8446 §4.1.2 and §5.1, RFC 6066 §3, RFC 7301 §3.1)
import { more, type Parsed, wrong } from './proxy-header.ts';

export interface ClientHello {
  /** In lower case; null where the client names none. */
  serverName: string | null;
  /** Protocols that the client offers (ALPN), its favourite first. */
  protocols: string[];
}

/** Of the message. A hello with a post-quantum key and a session ticket has about 2,000 bytes. */
export const longestHello = 16_384;
const mostRecords = 16;
const longestRecord = 16_384;
const handshakeRecord = 22;
const clientHello = 1;
const extensions = { serverName: 0, protocols: 16 } as const;

/** Takes nothing from the stream: `length` is 0. */
export function parseClientHello(bytes: Buffer): Parsed<ClientHello> {
  try {
    const message = messageIn(bytes);
    return message ? { state: 'done', length: 0, value: parseMessage(message) } : more;
  } catch (error) {
    if (error instanceof Malformed) return wrong(error.message);
    throw error;
  }
}

class Malformed extends Error {}

/** The handshake message, whose records may cut it anywhere; null while it is not complete. */
function messageIn(bytes: Buffer): Buffer | null {
  const pieces: Buffer[] = [];
  let length = 0;
  for (let at = 0; ; ) {
    if (pieces.length >= mostRecords) throw new Malformed(`more than ${mostRecords} records`);
    if (at < bytes.length && bytes[at] !== handshakeRecord) throw new Malformed('not a TLS handshake');
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) throw new Malformed('not a version of TLS');
    if (bytes.length - at < 5) return null;
    const size = bytes.readUInt16BE(at + 3);
    if (size === 0 || size > longestRecord) throw new Malformed(`a record of ${size} bytes`);
    const piece = bytes.subarray(at + 5, at + 5 + size);
    pieces.push(piece);
    length += piece.length;
    const wanted = length >= 4 || piece.length < size ? wantedBytes(Buffer.concat(pieces)) : null;
    if (wanted !== null && length > wanted) throw new Malformed('more than one message');
    if (piece.length < size) return null;
    if (length === wanted) return Buffer.concat(pieces).subarray(4);
    at += 5 + size;
  }
}

/** With its head; null while that is not complete. */
function wantedBytes(message: Buffer): number | null {
  if (message.length > 0 && message[0] !== clientHello) throw new Malformed('not a ClientHello');
  if (message.length < 4) return null;
  const size = message.readUIntBE(1, 3);
  if (size > longestHello) throw new Malformed(`a ClientHello of ${size} bytes`);
  return 4 + size;
}

function parseMessage(message: Buffer): ClientHello {
  const reader = new Reader(message);
  reader.skip(2 + 32);
  reader.vector(1, 0, 32);
  const suites = reader.vector(2, 2);
  if (suites.length % 2 !== 0) throw new Malformed('half a cipher suite');
  reader.vector(1, 1);
  const hello: ClientHello = { serverName: null, protocols: [] };
  if (reader.atEnd) return hello;
  const list = new Reader(reader.vector(2));
  if (!reader.atEnd) throw new Malformed('bytes after the extensions');
  const seen = new Set<number>();
  while (!list.atEnd) {
    const type = list.number(2);
    const body = new Reader(list.vector(2));
    if (seen.has(type)) throw new Malformed(`extension ${type} twice`);
    seen.add(type);
    if (type === extensions.serverName) hello.serverName = serverNameIn(body);
    if (type === extensions.protocols) hello.protocols = protocolsIn(body);
  }
  return hello;
}

function serverNameIn(body: Reader): string {
  const names = new Reader(body.vector(2, 1));
  if (names.number(1) !== 0) throw new Malformed('a server name of an unknown kind');
  const name = names.vector(2, 1, 255).toString('latin1').toLowerCase();
  if (!names.atEnd || !body.atEnd) throw new Malformed('more than one server name');
  if (!/^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/.test(name))
    throw new Malformed('the server name is no name');
  return name;
}

function protocolsIn(body: Reader): string[] {
  const list = new Reader(body.vector(2, 2));
  if (!body.atEnd) throw new Malformed('bytes after the protocols');
  const protocols: string[] = [];
  while (!list.atEnd) protocols.push(list.vector(1, 1).toString('latin1'));
  return protocols;
}

/** Numbers and vectors one after another; whatever is too short throws. */
class Reader {
  private at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  skip(size: number): void {
    this.at += size;
    if (this.at > this.bytes.length) throw new Malformed('cut short');
  }

  number(size: 1 | 2): number {
    this.skip(size);
    return this.bytes.readUIntBE(this.at - size, size);
  }

  /** Preceded by its length in `size` bytes. */
  vector(size: 1 | 2, least = 0, most = Number.POSITIVE_INFINITY): Buffer {
    const length = this.number(size);
    if (length < least || length > most) throw new Malformed(`a field of ${length} bytes`);
    this.skip(length);
    return this.bytes.subarray(this.at - length, this.at);
  }
}
