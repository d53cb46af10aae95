// `reeve up` as a process of its own, for tests: started, followed, ended.
import type { ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/index.ts';
import { eventually } from '../support/children.ts';
import { startReeve } from '../support/reeve.ts';
import { askJson, type House } from './daemon-support.ts';

export interface Up {
  child: ChildProcess;
  stdout: string;
  stderr: string;
  control: string;
  status(): Promise<DaemonStatus>;
  /** `null` until it has ended. */
  ended: Promise<number | null>;
}

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    // Two signals: it takes its services with it, and waits for nobody.
    for (const name of ['SIGTERM', 'SIGINT'] as const) child.kill(name);
    await eventually(() => child.exitCode !== null || child.signalCode !== null);
  }
});

/** Starts it, with `prefix` before the command, and waits for its summary or its end. */
export async function up(
  { file }: House,
  more: string[] = [],
  env: NodeJS.ProcessEnv = {},
  prefix: string[] = [],
): Promise<Up> {
  const child = startReeve(['up', '-c', file, ...more], { env: { ...process.env, ...env }, prefix });
  children.push(child);
  const state: Up = {
    child,
    stdout: '',
    stderr: '',
    control: '',
    status: () => askJson<DaemonStatus>(state.control, '/api/v1/status'),
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    state.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    state.stderr += text;
  });
  await eventually(() => state.stdout.endsWith('\n\n') || child.exitCode !== null, 30_000);
  state.control = /http:\/\/(127\.0\.0\.1:\d+)\//.exec(state.stdout)?.[1] ?? '';
  return state;
}

/** A request that the service holds until it is told to end it. */
export async function heldRequest(address: string): Promise<{ socket: Socket; text: string }> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  const held = { socket, text: '' };
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    held.text += chunk;
  });
  socket.write('GET /hold HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => held.text.includes('begun'));
  return held;
}

export const listenerAt = ({ listeners }: DaemonStatus, name: string) =>
  listeners.find((listener) => listener.name === name)!.binds[0]!.address;
