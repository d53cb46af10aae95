// A real dnsmasq on loopback that knows what its command line says: in the foreground, ended by its PID.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './children.ts';
import { program } from './parts.ts';

export interface Dnsmasq {
  port: number;
  kill(): Promise<void>;
}

/** `words` are options such as `--host-record=a.test,10.0.0.1`. */
export async function dnsmasq(words: string[]): Promise<Dnsmasq> {
  // A port that was free of UDP a moment ago may be taken by now, or be taken on TCP.
  for (let tries = 1; ; tries++) {
    const server = await startOn(await freePort(), words);
    if (typeof server !== 'string') return server;
    if (!server.includes('in use') || tries === 10) throw new Error(`dnsmasq ended: ${server}`);
  }
}

async function freePort(): Promise<number> {
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

/** Or what it said before it ended. */
async function startOn(port: number, words: string[]): Promise<Dnsmasq | string> {
  const file = program('dnsmasq')!;
  const root = path.resolve(file, '../../..');
  const libraries = ['usr/lib', 'lib'].map((folder) => path.join(root, folder, 'x86_64-linux-gnu'));
  // Known to no other server that may have the port.
  const own = `${randomUUID()}.test`;
  const server = spawn(
    file,
    [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--no-resolv', '--no-hosts'],
      ...[`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--user=', '--group='],
      ...[`--host-record=${own},127.0.0.1`, ...words],
    ],
    { env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  server.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(server, 'close');
  onTestFinished(() => kill(server));
  const resolver = resolverAt(port);
  const ready = await eventually(
    async () => server.exitCode !== null || (await resolver.resolve4(own).catch(() => null)),
    30_000,
  );
  if (ready !== true) return { port, kill: () => kill(server) };
  await ended;
  return said;
}

export function resolverAt(port: number): Resolver {
  const resolver = new Resolver({ timeout: 500, tries: 8 });
  resolver.setServers([`127.0.0.1:${port}`]);
  return resolver;
}

async function kill(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGKILL');
  await gone;
}
