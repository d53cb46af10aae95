// What a service says: its greeting, or its answer to a few well-known questions. Bounded in bytes and time.
import { connect, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { formatHostPort } from '../../core/endpoint.ts';
import { printable } from '../../core/text.ts';

/** Of a service's words so many are read, and so many characters kept. */
const maxBytes = 1024;
const maxCharacters = 160;
/** How long a service may take to speak first, and then to answer each question. */
const bannerWaitMs = 1000;
const atOnce = 32;
/** A host on which everything is open answers to no purpose: the first so many are asked. */
const maxPorts = 1000;

/** Usual TLS ports are asked in TLS first; others only where the bytes look like a TLS alert. */
const tlsPorts = new Set([443, 465, 636, 853, 989, 990, 992, 993, 994, 995, 4443, 5061, 6443, 8443, 9443]);

type Question = 'greeting' | 'tls' | 'http' | 'redis';

/** Banners by port; ports that say nothing are missing. An abort leaves out what is not known yet. */
export async function readBanners(
  address: string,
  ports: readonly number[],
  signal: AbortSignal,
): Promise<Map<number, string>> {
  const banners = new Map<number, string>();
  const queue = ports.slice(0, maxPorts)[Symbol.iterator]();
  const worker = async () => {
    for (const port of queue) {
      if (signal.aborted) return;
      const banner = await readBanner(address, port, signal);
      if (banner !== null) banners.set(port, banner);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, ports.length) }, worker));
  return banners;
}

export async function readBanner(address: string, port: number, signal: AbortSignal): Promise<string | null> {
  const questions: Question[] = tlsPorts.has(port)
    ? ['tls', 'greeting', 'http']
    : ['greeting', 'http', 'tls', 'redis'];
  for (const question of questions) {
    if (signal.aborted) return null;
    const { bytes, tls } = await ask(address, port, question, signal);
    const banner = [tls, clean(bytes)].filter((part) => part !== '').join(' · ');
    if (banner !== '') return shorten(banner);
  }
  return null;
}

interface Heard {
  bytes: Buffer;
  /** Version and name of the certificate, where TLS was spoken. */
  tls: string;
}

function ask(address: string, port: number, question: Question, signal: AbortSignal): Promise<Heard> {
  return new Promise((resolve) => {
    let tls = '';
    const chunks: Buffer[] = [];
    let size = 0;
    const at = { host: address, port };
    const socket: Socket =
      // Nothing is sent but a hello and one request: whose certificate it is does not matter here.
      question === 'tls'
        ? connectTls({ ...at, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
        : connect(at);
    const end = () => {
      clearTimeout(timer);
      clearTimeout(pause);
      signal.removeEventListener('abort', end);
      socket.destroy();
      resolve({ bytes: Buffer.concat(chunks), tls });
    };
    const timer = setTimeout(end, bannerWaitMs);
    let pause: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', end, { once: true });
    socket.once(question === 'tls' ? 'secureConnect' : 'connect', () => {
      if (socket instanceof TLSSocket) tls = describeTls(socket);
      const words = request(question, address, port);
      if (words !== null) socket.write(words);
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, maxBytes - size));
      size = Math.min(maxBytes, size + chunk.length);
      // A greeting comes in one piece or in quick ones.
      clearTimeout(pause);
      if (size === maxBytes) end();
      else pause = setTimeout(end, 50);
    });
    socket.on('error', end);
    socket.on('close', end);
  });
}

function describeTls(socket: TLSSocket): string {
  const name = socket.getPeerCertificate().subject?.CN;
  return printable([socket.getProtocol() ?? 'TLS', name ?? []].flat(2).join(' '));
}

function request(question: Question, address: string, port: number): string | null {
  if (question === 'greeting') return null;
  if (question === 'redis') return 'PING\r\n';
  return `GET / HTTP/1.1\r\nHost: ${formatHostPort(address.split('%')[0]!, port)}\r\nUser-Agent: reeve\r\nConnection: close\r\n\r\n`;
}

/** One printable line. Of HTTP the status and who serves it; of binary protocols what text there is. */
function clean(heard: Buffer): string {
  const text = new TextDecoder().decode(heard);
  const status = /^HTTP\/\d(?:\.\d)? \d{3}[^\r\n]*/.exec(text)?.[0];
  const server = /^server:[ \t]*([^\r\n]+)/im.exec(text)?.[1];
  if (status !== undefined) return printable(server ? `${status} · ${server}` : status);
  const words = printable(text.replaceAll('\ufffd', ' ')).replace(/\s+/g, ' ');
  return /[\p{L}\p{N}]{2}/u.test(words) ? words : '';
}

function shorten(words: string): string {
  const all = [...words];
  return all.length > maxCharacters ? `${all.slice(0, maxCharacters - 1).join('')}…` : words;
}
