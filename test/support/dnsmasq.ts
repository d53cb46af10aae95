// A real dnsmasq on loopback that knows what it is told on its command line: in the foreground, ended by its PID.
import { type ChildProcess, spawn } from 'node:child_process';
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
  const file = program('dnsmasq')!;
  const root = path.resolve(file, '../../..');
  const libraries = ['usr/lib', 'lib'].map((folder) => path.join(root, folder, 'x86_64-linux-gnu'));
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const server = spawn(
    file,
    [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--no-resolv', '--no-hosts'],
      ...[`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--user=', '--group='],
      ...['--host-record=ready.test,127.0.0.1', ...words],
    ],
    // A process of nobody's might not read the libraries beside it.
    { env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  server.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  onTestFinished(() => kill(server));
  const resolver = resolverAt(port);
  await eventually(async () => {
    if (server.exitCode !== null) throw new Error(`dnsmasq ended: ${said}`);
    return await resolver.resolve4('ready.test').catch(() => null);
  }, 30_000);
  return { port, kill: () => kill(server) };
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
