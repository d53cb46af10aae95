// What the native engine must stand: workers killed under load, no descriptors, no pipes, thousands of connections.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createNativeEngine, type NativeEngine } from '../../src/relay/index.ts';
import {
  ask,
  closed,
  dial,
  echo,
  readAll,
  type ServeOptions,
  type Serving,
  says,
  serve,
  startTarget,
} from '../contract/engine-harness.ts';
import { bundled } from '../support/bundled.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';

const file = await bundled(new URL('../../src/relay/native/worker.ts', import.meta.url));
const runsHere = needs('the workers of the native engine', 'linux');
const shortConnections = Number(process.env.REEVE_CONNECTIONS ?? 10_000);

async function serveNative(
  options: ServeOptions,
  { workers = 1, runner }: { workers?: number; runner?: string[] } = {},
): Promise<Serving & { engine: NativeEngine }> {
  let engine: NativeEngine | undefined;
  const serving = await serve((context) => {
    engine = createNativeEngine(context, { file, workers, ...(runner && { runner }) });
    return engine;
  }, options);
  return { ...serving, engine: engine! };
}

/** Where each open descriptor of a process leads, by kind (`socket`, `pipe`, `anon_inode`). */
function descriptors(pid: number): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const kind = readlinkSync(`/proc/${pid}/fd/${fd}`).split(':')[0]!;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

/** Of a process, as proc(5) has them after the name in parentheses. */
function sessionOf(pid: number): { group: number; session: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { group: Number(words[2]), session: Number(words[3]) };
}

/** Process ids of the workers that this process has started, the spare one among them. */
function workersBelow(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.filter((pid) => pid !== '' && programOf(pid).includes(file)).map(Number);
}

function programOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function limitDescriptors(pid: number, count: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`]);
}

/** The echo of a word, or the code of what happened instead. */
async function talk(socket: Socket, word: string): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    socket.once('data', (data: Buffer) => resolve(data.toString()));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    // The system ends what a process that was killed had open, with a FIN where nothing was unread.
    socket.once('end', () => resolve('ended'));
    socket.once('close', () => resolve('closed'));
  });
  socket.write(word);
  return await answer;
}

describe.runIf(runsHere)('a worker that is killed', () => {
  it('takes only its own connections with it; nobody who comes is refused', async () => {
    const place = await startTarget(echo);
    const { port, engine, reports, listener } = await serveNative({ targets: [place] }, { workers: 2 });
    const refused: string[] = [];
    let answered = 0;
    let stop = false;
    // Whoever is being served by the worker that dies is cut; but everybody gets in.
    const client = async () => {
      while (!stop) {
        const socket = await dial(port).catch(
          (error: NodeJS.ErrnoException) => void refused.push(error.code!),
        );
        if (!socket) continue;
        if ((await talk(socket, 'here')) === 'here') answered += 1;
        socket.resetAndDestroy();
      }
    };
    const clients = Array.from({ length: 8 }, client);
    await reports.until(() => answered > 200);
    const before = engine.workers();
    expect(before).toHaveLength(2);
    const held = await Promise.all(Array.from({ length: 40 }, () => dial(port)));
    expect(await Promise.all(held.map((socket) => talk(socket, 'mine')))).toEqual(held.map(() => 'mine'));
    for (const socket of held) socket.once('end', () => socket.destroy());
    const cut = held.map((socket) => closed(socket));
    const own = connectionsOf(before[0]!, held);
    const lost = held.filter(({ localPort }) => own.has(localPort!));
    process.kill(before[0]!, 'SIGKILL');
    const mark = answered;
    await reports.until(() => answered > mark + 500);
    await eventually(() => engine.workers().length === 2 && !engine.workers().includes(before[0]!));
    stop = true;
    await Promise.all(clients);
    expect(refused).toEqual([]);
    // Those of the other worker go on.
    await eventually(() => lost.every((socket) => socket.destroyed));
    const alive = held.filter((socket) => !socket.destroyed);
    expect(alive).toHaveLength(held.length - lost.length);
    expect(await Promise.all(alive.map((socket) => talk(socket, 'still')))).toEqual(alive.map(() => 'still'));
    for (const socket of alive) socket.end();
    await Promise.all(cut);
    await eventually(() => listener.active() === 0);
    expect(reports.ends).toHaveLength(reports.opens.length);
  });

  it('is replaced by one that is ready, also when it was the only one, and that by the next', async () => {
    const place = await startTarget(says('in'));
    const { port, engine } = await serveNative({ targets: [place] });
    const taken: number[] = [];
    for (let i = 0; i < 3; i++) {
      expect(await ask(port)).toBe('in');
      const [pid] = engine.workers();
      taken.push(pid!);
      const spare = await eventually(() => workersBelow().find((each) => !taken.includes(each)));
      expect(spare).not.toBe(pid);
      process.kill(pid!, 'SIGKILL');
      expect(await ask(port)).toBe('in');
      expect(engine.workers()).toEqual([spare]);
    }
  });

  it('does without a spare one where that dies', async () => {
    const place = await startTarget(says('in'));
    const { port, engine } = await serveNative({ targets: [place] });
    const [pid] = engine.workers();
    const spare = await eventually(() => workersBelow().find((each) => each !== pid));
    process.kill(spare!, 'SIGKILL');
    await eventually(() => !isRunning(spare!));
    expect(await ask(port)).toBe('in');
    process.kill(pid!, 'SIGKILL');
    expect(await ask(port)).toBe('in');
    expect(engine.workers()).not.toContain(spare);
  });

  it('is in the session of the control process, and not in its group: Ctrl-C is not for it', async () => {
    const place = await startTarget(says('in'));
    const { port, engine } = await serveNative({ targets: [place] });
    expect(await ask(port)).toBe('in');
    const [pid] = engine.workers();
    expect(sessionOf(pid!)).toEqual({ ...sessionOf(process.pid), group: pid });
  });

  it('ends with its engine', async () => {
    const place = await startTarget(says('in'));
    const { port, engine, listener } = await serveNative({ targets: [place] });
    expect(await ask(port)).toBe('in');
    const [pid] = engine.workers();
    await eventually(() => workersBelow().length === 2);
    await listener.drain(1000);
    await eventually(() => !isRunning(pid!) && workersBelow().length === 0);
  });
});

describe.runIf(runsHere)('descriptors', () => {
  it(`are all closed after ${shortConnections} connections`, async () => {
    const place = await startTarget(says('x'));
    const { port, engine, reports, listener } = await serveNative({ targets: [place] });
    await ask(port);
    await reports.end();
    const [pid] = engine.workers();
    const before = descriptors(pid!);
    let left = shortConnections;
    const client = async () => {
      while (left-- > 0) await oneShort(port);
    };
    await Promise.all(Array.from({ length: 50 }, client));
    await reports.until(() => reports.ends.length === shortConnections + 1);
    expect(listener.active()).toBe(0);
    expect(descriptors(pid!)).toEqual(before);
    expect(new Set(reports.ends.map(({ reason }) => reason))).toEqual(new Set(['done']));
  });

  it('that run short turn newcomers away with the reason, and those who are in go on', async () => {
    const place = await startTarget(echo);
    const runner = ['sh', '-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath];
    const { port, engine, reports } = await serveNative({ targets: [place] }, { runner });
    const clients = await Promise.all(Array.from({ length: 60 }, () => dial(port)));
    const answers = await Promise.all(clients.map((socket) => talk(socket, 'in')));
    // Of 100 descriptors 64 are the worker's own, and each connection needs two of nine tenths of the rest.
    const inside = clients.filter((_, i) => answers[i] === 'in');
    expect(inside).toHaveLength(16);
    await reports.until(() => reports.refusals.length === 44);
    expect(new Set(reports.refusals)).toEqual(new Set(['overload']));
    expect(await Promise.all(inside.map((socket) => talk(socket, 'still')))).toEqual(
      inside.map(() => 'still'),
    );
    for (const socket of inside) socket.end();
    await reports.end(16);
    expect(await talk(await dial(port), 'again')).toBe('again');
    expect(engine.workers()).toHaveLength(1);
  });

  it('that run out unforeseen are waited for as well', async () => {
    const place = await startTarget(echo);
    const { port, engine, reports } = await serveNative({ targets: [place] });
    expect(await talk(await dial(port), 'warm')).toBe('warm');
    const [pid] = engine.workers();
    const open = Object.values(descriptors(pid!)).reduce((sum, count) => sum + count, 0);
    // The worker was started with a larger limit and learns of this one by the failure of a call.
    limitDescriptors(pid!, open + 4);
    const clients = await Promise.all(Array.from({ length: 12 }, () => dial(port)));
    const answers = clients.map((socket) => talk(socket, 'in'));
    await reports.until(() => reports.opens.length > 1);
    limitDescriptors(pid!, 1000);
    const got = await Promise.all(answers);
    // At the very edge one may have been let in that could not be carried on.
    expect(got.filter((answer) => answer === 'in').length).toBeGreaterThanOrEqual(11);
    expect(await talk(await dial(port), 'after')).toBe('after');
    expect(engine.workers()).toEqual([pid]);
  });

  it('that are missing for pipes make bulk data go through memory, unchanged', async () => {
    const place = await startTarget(echo);
    const { port, engine, reports } = await serveNative({ targets: [place] });
    const client = await dial(port);
    expect(await talk(client, 'warm')).toBe('warm');
    const [pid] = engine.workers();
    const before = descriptors(pid!);
    // No descriptor with a number from the limit on is given out; those that are open stay.
    const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    let free = 0;
    while (taken.has(free)) free += 1;
    limitDescriptors(pid!, free);
    const sent = randomBytes(32 * 1024 * 1024);
    const got = readAll(client);
    client.end(sent);
    expect((await got).equals(sent)).toBe(true);
    expect((await reports.end()).reason).toBe('done');
    expect(descriptors(pid!).pipe).toBe(before.pipe);
  });

  it('of pipes are used for bulk data, and kept for the next', async () => {
    const place = await startTarget(echo);
    const { port, engine, reports } = await serveNative({ targets: [place] });
    expect(await talk(await dial(port), 'warm')).toBe('warm');
    const pipes = () => descriptors(engine.workers()[0]!).pipe ?? 0;
    const before = pipes();
    for (let round = 1; round <= 3; round++) {
      const sent = randomBytes(16 * 1024 * 1024);
      const client = await dial(port);
      const got = readAll(client);
      client.end(sent);
      expect((await got).equals(sent)).toBe(true);
      await reports.end(round);
    }
    expect(pipes()).toBeGreaterThan(before);
    // Two ends of one pipe for each direction.
    expect(pipes()).toBeLessThanOrEqual(before + 4);
  });
});

/** Without the harness's care, which remembers every socket until the end of the test. */
async function oneShort(port: number): Promise<void> {
  const { connect } = await import('node:net');
  const socket = connect({ port, host: '127.0.0.1' });
  socket.resume();
  await once(socket, 'close');
}

/** Local ports of those clients whose connections the process has accepted. */
function connectionsOf(pid: number, clients: Socket[]): Set<number> {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      inodes.add(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // Closed meanwhile.
    }
  }
  const ports = new Set(clients.map(({ localPort }) => localPort!));
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  const own = rows.map((row) => row.trim().split(/\s+/)).filter((row) => inodes.has(`socket:[${row[9]}]`));
  return new Set(
    own.map((row) => Number.parseInt(row[2]!.split(':')[1]!, 16)).filter((port) => ports.has(port)),
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
