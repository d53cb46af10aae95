// TLS around the engine's harness: an authority, listeners that show its certificates, clients that trust it.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { configSchema } from '../../src/config/index.ts';
import { loadCredentials, loadTargetTls } from '../../src/listen/index.ts';
import { type Authority, createAuthority } from '../support/authority.ts';
import { dial, type MakeEngine, type ServeOptions, type Serving, serve } from './engine-harness.ts';

let made: Authority | null = null;

/** One for a whole file of tests: making keys takes a while. */
export function authority(): Authority {
  if (made) return made;
  made = createAuthority();
  made.issue('localhost', ['localhost', '127.0.0.1']);
  made.issue('a', ['a.example.com']);
  made.issue('wild', ['*.example.com']);
  made.issue('client', ['client']);
  process.once('exit', made.remove);
  return made;
}

export const at = (file: string) => path.resolve(authority().folder, file);
export const read = (file: string) => readFileSync(at(file));

/** A listener that ends TLS; `tls` is its section of the configuration. */
export async function serveTls(
  makeEngine: MakeEngine,
  tls: Record<string, unknown>,
  options: ServeOptions = {},
): Promise<Serving> {
  const section = { cert: 'localhost.pem', key: 'localhost.key', ...tls };
  const config = configSchema.parse({
    listeners: { web: { bind: ['127.0.0.1:0'], balance: { targets: ['127.0.0.1:1'] }, tls: section } },
  });
  const credentials = await loadCredentials(config.listeners.web!.tls!, at);
  return serve(makeEngine, {
    ...options,
    config: { ...options.config, tls: section },
    plan: { ...options.plan, credentials },
  });
}

export function targetTls(terms: Record<string, unknown>) {
  return loadTargetTls({ verify: true, ...terms } as never, at);
}

/** Until the handshake is complete on this side; its end half is left open by itself, as with plain sockets. */
export async function dialTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const secured = await begin(port, options);
  await once(secured, 'secureConnect');
  return secured;
}

/** How the handshake fails: the code of the client's error, or `end` where it is cut without one. */
export async function failTls(port: number, options: ConnectionOptions = {}): Promise<string> {
  const secured = await begin(port, options);
  secured.resume();
  return new Promise((resolve) => {
    secured.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    secured.on('end', () => resolve('end'));
  });
}

async function begin(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket: Socket = await dial(port);
  const secured = connect({
    socket,
    ca: read('ca.pem'),
    host: 'localhost',
    servername: 'localhost',
    ...options,
  });
  secured.on('error', () => {});
  onTestFinished(() => void secured.destroy());
  return secured;
}
