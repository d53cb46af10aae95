// `reeve run` for tests: the built command with leases of its own, what it prints, and how it ended.
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { endChild, eventually } from '../support/children.ts';
import { startReeve } from '../support/reeve.ts';

export const fixtures = fileURLToPath(new URL('../fixtures/run', import.meta.url));
export const server = path.join(fixtures, 'server.mjs');
export const node = process.execPath;

export interface RunUnderTest {
  child: ChildProcess;
  pid: number;
  text(): string;
  /** Resolves with the first match in what it has printed, on either stream. */
  until(pattern: RegExp): Promise<RegExpMatchArray>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Removed at the end of the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'reeve-run-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Killed at the end of the test; its keeper then ends whatever it ran. */
export function startRun(args: string[], options: SpawnOptions = {}): RunUnderTest {
  const env = { ...process.env, REEVE_LEASES: temporaryFolder(), ...options.env };
  return watched(startReeve(['run', ...args], { ...options, env }));
}

export function watched(child: ChildProcess): RunUnderTest {
  let text = '';
  const looks = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      for (const look of looks) look();
    });
  }
  onTestFinished(() => endChild({ process: child }));
  const ended = new Promise<Awaited<RunUnderTest['ended']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    child,
    pid: child.pid!,
    text: () => text,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = () => reject(new Error(`no ${pattern} in what it printed: ${text}`));
        const timer = setTimeout(fail, 30_000);
        const look = () => {
          const match = pattern.exec(text);
          if (!match) return;
          clearTimeout(timer);
          looks.delete(look);
          resolve(match);
        };
        looks.add(look);
        look();
        void ended.then(() => looks.has(look) && fail());
      }),
  };
}

export const readyLine = /ready: (.+) \(PID (\d+)\) (?:listens|has the socket) on \S+:(\d+) after/;

/** Port and PID of the server, once reeve has found it ready. */
export async function untilReady(run: RunUnderTest): Promise<{ pid: number; port: number }> {
  const [, , pid, port] = await run.until(readyLine);
  return { pid: Number(pid), port: Number(port) };
}

export interface Told {
  pid: number;
  argv: string[];
  env: NodeJS.ProcessEnv;
}

export async function askServer(port: number): Promise<Told> {
  return (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as Told;
}

/** Neither running nor waiting to be reaped by somebody who will: an orphan's zombie counts as gone. */
export function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export function marked(mark: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const entries = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      return entries.includes(`REEVE_RUN=${mark}`) && lives(Number(name)) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Living children. */
export function childrenOf(pid: number): number[] {
  return everyStat().flatMap((stat) => (stat.parent === pid && stat.state !== 'Z' ? [stat.pid] : []));
}

export function zombiesOf(pid: number): number[] {
  return everyStat().flatMap((stat) => (stat.parent === pid && stat.state === 'Z' ? [stat.pid] : []));
}

function everyStat(): { pid: number; parent: number; state: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state = '', parent] = text.slice(text.lastIndexOf(') ') + 2).split(' ');
        return [{ pid: Number(name), parent: Number(parent), state }];
      } catch {
        return [];
      }
    });
}

export function untilGone(pids: number[]): Promise<boolean> {
  return eventually(() => !pids.some(lives), 20_000);
}
