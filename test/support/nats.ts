// A real nats-server with JetStream on loopback, in a folder of its own: killed by PID and started again on its store.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { onTestFinished } from 'vitest';
import { eventually } from './children.ts';
import { program } from './parts.ts';

export interface Broker {
  url: string;
  start(): Promise<void>;
  /** SIGKILL, as if its machine had lost power but for the disk. */
  kill(): Promise<void>;
  /** Every message of the stream, in its order. */
  messages(stream: string): Promise<{ subject: string; text: string }[]>;
}

export async function broker(words: string[] = [], login: { token?: string } = {}): Promise<Broker> {
  const store = mkdtempSync(path.join(tmpdir(), 'reeve-nats-'));
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  let server: ChildProcess | null = null;
  const kill = async () => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    server = spawn(
      program('nats-server')!,
      ['-js', '-sd', store, '-a', '127.0.0.1', '-p', String(port), ...words],
      { stdio: 'ignore' },
    );
    await eventually(() => listening(port), 30_000);
  };
  onTestFinished(async () => {
    await kill();
    rmSync(store, { recursive: true, force: true });
  });
  await start();
  return {
    ...{ url, start, kill },
    async messages(stream) {
      const connection = await connect({ servers: url, ...login });
      try {
        const manager = await jetstreamManager(connection);
        const found = await manager.streams.info(stream).catch(() => null);
        const count = found?.state.messages ?? 0;
        const all: { subject: string; text: string }[] = [];
        if (count === 0) return all;
        const consumer = await jetstream(connection).consumers.get(stream, {});
        const messages = await consumer.consume({ max_messages: 5000 });
        for await (const message of messages) {
          all.push({ subject: message.subject, text: message.string() });
          if (all.length === count) break;
        }
        return all;
      } finally {
        await connection.close();
      }
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function listening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
