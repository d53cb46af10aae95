// Many connections at once with random sizes and random ends: byte-exact both ways, and no memory for a backlog.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createNativeEngine, createPortableEngine, type NativeEngine } from '../../src/relay/index.ts';
import { dial, type MakeEngine, serve, settled, startTarget } from '../contract/engine-harness.ts';
import { bundled } from '../support/bundled.ts';
import { needs } from '../support/parts.ts';

const connections = 200;
/** At least this in all, of which the random sizes plan a quarter more on average. */
const least = 64 * 1024 * 1024;
const total = (5 / 4) * least;
/** Repeat a run that failed with REEVE_SEED. */
const seed = Number(process.env.REEVE_SEED ?? Date.now() % 2 ** 32);

interface Contender {
  make: MakeEngine;
  /** Bytes that the engine holds at this moment. */
  memory(): number;
  /** As much as one connection that is stuck may add. */
  perConnection: number;
}

const portable: Contender = {
  make: createPortableEngine,
  memory: offHeap,
  // A few reads of 64 KiB each: one waits to be written, one to be taken. The targets of this test share one block.
  perConnection: 512 * 1024,
};

async function native(): Promise<Contender> {
  const file = await bundled(new URL('../../src/relay/native/worker.ts', import.meta.url));
  const engines: NativeEngine[] = [];
  return {
    make(context) {
      engines.push(createNativeEngine(context, { file, workers: 2 }));
      return engines.at(-1)!;
    },
    memory: () => engines.flatMap((engine) => engine.workers()).reduce((sum, pid) => sum + anonymous(pid), 0),
    // One read of 64 KiB, and what two V8 heaps grow by meanwhile; what is in pipes is kernel memory, bounded by them.
    perConnection: 3 * 1024 * 1024,
  };
}

const contenders: [string, Contender][] = [['portable', portable]];
if (needs('soaking the native engine', 'linux')) contenders.push(['native', await native()]);

describe.each(contenders)('%s engine', (_name, { make, memory, perConnection }) => {
  it(`relays ${connections} connections at once, byte for byte (seed ${seed})`, async () => {
    const pool = noise(seed, 1024 * 1024);
    // A conversation names itself in its first four bytes, so that the target knows its own part.
    const results = new Map<number, Promise<string>>();
    const place = await startTarget(async (socket) => {
      const first = await firstBytes(socket, 4);
      const id = first.readUInt32BE(0);
      const random = mulberry(seed + 2 * id + 1);
      const hashed = hashAll(socket, first);
      results.set(id, hashed);
      // Some say everything before they listen to the end, some only after.
      if (random() < 0.3) await hashed;
      await sendPart(socket, part(pool, random), random);
    });
    const { port, reports, listener } = await serve(make, { targets: [place] });

    const talk = async (id: number) => {
      const random = mulberry(seed + 2 * id);
      const socket = await dial(port);
      const name = Buffer.alloc(4);
      name.writeUInt32BE(id);
      const mine = Buffer.concat([name, part(pool, random)]);
      const answer = hashAll(socket, Buffer.alloc(0));
      await sendPart(socket, mine, random);
      expect(await answer, `what client ${id} got`).toBe(sha(part(pool, mulberry(seed + 2 * id + 1), true)));
      expect(await results.get(id), `what target ${id} got`).toBe(sha(mine));
    };
    await Promise.all(Array.from({ length: connections }, (_, id) => talk(id)));
    await reports.end(connections);
    expect(new Set(reports.ends.map(({ reason }) => reason))).toEqual(new Set(['done']));
    expect(reports.bytesIn + reports.bytesOut).toBeGreaterThanOrEqual(least);
    expect(listener.active()).toBe(0);
    expect(listener.targets()[0]).toMatchObject({ active: 0, total: connections, failures: 0 });
  });

  it('keeps no backlog in memory for clients that do not read', async () => {
    const stuckClients = 10;
    const block = Buffer.alloc(64 * 1024, 'x');
    const perClient = 32 * 1024 * 1024;
    const place = await startTarget((socket) => {
      let left = perClient;
      const fill = () => {
        while (left > 0) {
          left -= block.length;
          if (!socket.write(block)) break;
        }
        if (left > 0) socket.once('drain', fill);
        else socket.end();
      };
      fill();
    });
    const { port, reports } = await serve(make, { targets: [place] });
    const before = memory();
    const clients = await Promise.all(Array.from({ length: stuckClients }, () => dial(port)));
    const stuck = await settled(() => reports.bytesOut);
    const grown = memory() - before;
    expect(stuck).toBeLessThan((stuckClients * perClient) / 2);
    expect(grown).toBeLessThan(stuckClients * perConnection);
    const ends = clients.map((client) => {
      client.resume();
      client.once('end', () => client.end());
      return once(client, 'close');
    });
    await Promise.all(ends);
    await reports.end(stuckClients);
    const whole = Array.from({ length: stuckClients }, () => ({
      reason: 'done',
      sent: perClient,
      detail: null,
    }));
    expect(reports.ends.map(({ reason, sent, detail }) => ({ reason, sent, detail }))).toEqual(whole);
    expect(reports.bytesOut).toBe(stuckClients * perClient);
    expect(memory() - before).toBeLessThan(stuckClients * perConnection);
  });
});

/** Memory of a process that is its own alone. */
function anonymous(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)![1]) * 1024;
}

/** Bytes that buffers hold, after a collection. */
function offHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { external, arrayBuffers } = process.memoryUsage();
  return Math.max(external, arrayBuffers);
}

/** A piece of the pool, on average so long that all pieces together are `total`; `skip` a draw as the target does. */
function part(pool: Buffer, random: () => number, skip = false): Buffer {
  if (skip) random();
  const length = Math.floor(random() * 2 * (total / connections / 2));
  const from = Math.floor(random() * (pool.length - length));
  return pool.subarray(from, from + length);
}

/** In chunks from one byte to 100 kB, with a breath here and there, then the end of this direction. */
async function sendPart(socket: Socket, bytes: Buffer, random: () => number): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const size = random() < 0.3 ? 1 + Math.floor(random() * 100) : 1 + Math.floor(random() * 100_000);
    const free = socket.write(bytes.subarray(at, at + size));
    at += size;
    if (!free) await once(socket, 'drain');
    else if (random() < 0.2) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
}

function firstBytes(socket: Socket, count: number): Promise<Buffer> {
  return new Promise((resolve) => {
    let got = Buffer.alloc(0);
    socket.on('data', function more(chunk: Buffer) {
      got = Buffer.concat([got, chunk]);
      if (got.length < count) return;
      socket.off('data', more);
      socket.pause();
      resolve(got);
    });
  });
}

function hashAll(socket: Socket, first: Buffer): Promise<string> {
  const hash = createHash('sha256').update(first);
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => hash.update(chunk));
    socket.once('end', () => resolve(hash.digest('hex')));
    socket.once('error', reject);
    socket.resume();
  });
}

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Small, fast, and the same everywhere (T. Ettinger, 2017, public domain). */
function mulberry(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function noise(from: number, length: number): Buffer {
  const random = mulberry(from);
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}
