// A target that speaks TLS, with certificates of the tests' authority.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Target } from '../../src/relay/index.ts';
import { target } from './engine-harness.ts';
import { read } from './tls-harness.ts';

export interface SecureTarget extends Target {
  sockets: TLSSocket[];
}

/** Says `words` and ends; or what `words` does with each connection. */
export async function serveSecure(
  identity: string,
  words: string | ((socket: TLSSocket) => void),
  options: TlsOptions = {},
): Promise<SecureTarget> {
  const sockets: TLSSocket[] = [];
  const server = createServer({
    cert: read(`${identity}.pem`),
    key: read(`${identity}.key`),
    allowHalfOpen: true,
    ...options,
  });
  server.on('secureConnection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    if (typeof words === 'string') {
      socket.resume();
      socket.end(words);
    } else words(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { ...target((server.address() as AddressInfo).port), sockets };
}
