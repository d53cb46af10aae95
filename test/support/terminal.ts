// The built command line on a terminal of its own (script(1)): what is typed, what is written, and the last screen.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { afterEach } from 'vitest';
import { reeveFile } from './reeve.ts';

export interface Terminal {
  child: ChildProcess;
  ended: Promise<number | null>;
  type(keys: string): void;
  /** All that was written so far, and the last screen as text. */
  raw(): string;
  screen(): string;
}

const open: ChildProcess[] = [];
afterEach(async () => {
  for (const child of open.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

export function terminal(args: string[], env: NodeJS.ProcessEnv = {}): Terminal {
  const line = `stty cols 110 rows 30; exec ${[process.execPath, reeveFile, ...args].map((word) => `'${word}'`).join(' ')}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: { ...process.env, ...env, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  open.push(child);
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  child.stdin!.on('error', () => {});
  return {
    child,
    ended: once(child, 'exit').then(([code]) => code as number | null),
    type: (keys) => void child.stdin!.write(keys),
    raw: () => text,
    screen: () => stripVTControlCharacters(text.split('\x1b[H').at(-1)!),
  };
}
