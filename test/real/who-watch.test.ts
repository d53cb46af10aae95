// Changes as they happen: only those asked for, with holders looked up once, and no more CPU than a hundredth of a core.
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseTarget, watchWho } from '../../src/ports/index.ts';
import type { System } from '../../src/system/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, port: (server.address() as { port: number }).port };
}

/** The system, with a count of questions, and a table that takes so much of the processor's time. */
async function counted(busyMs = 0) {
  const system = await selectSystem();
  const asked = { table: [] as number[], ids: [] as number[] };
  const sockets: System['sockets'] = {
    ...system.sockets,
    async table(query) {
      asked.table.push(performance.now());
      const before = process.cpuUsage();
      for (let used = 0; used < busyMs * 1000; ) {
        const { user, system } = process.cpuUsage(before);
        used = user + system;
      }
      return system.sockets.table(query);
    },
    async holders(ids) {
      asked.ids.push(ids.size);
      return system.sockets.holders(ids);
    },
  };
  return { system: { ...system, sockets }, asked };
}

function watching(system: System, words: string[], intervalMs: number) {
  const abort = new AbortController();
  const changes: string[] = [];
  const done = (async () => {
    for await (const { change, socket } of watchWho(
      system,
      words.map(parseTarget),
      { intervalMs },
      abort.signal,
    ))
      changes.push(`${change} ${socket.port} ${socket.holders.map(({ pid }) => pid).join()}`);
  })();
  return {
    changes,
    async stop() {
      abort.abort();
      await done;
    },
  };
}

describe.runIf(needs('changes of sockets', 'linux'))('who --watch', () => {
  it('asks for the holders of new sockets alone, and shows those of the process that was named', async () => {
    const { system, asked } = await counted();
    const { changes, stop } = watching(system, [`pid:${process.pid}`], 20);
    try {
      await eventually(() => asked.table.length > 3);
      const settled = asked.ids.length;
      const { server, port } = await listen();
      await eventually(() => changes.includes(`opened ${port} ${process.pid}`));
      const script = `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
      const other = await startNode(script);
      await new Promise((resolve) => server.close(resolve));
      await eventually(() => changes.includes(`closed ${port} ${process.pid}`));
      expect(changes.some((line) => line.includes(` ${other.line} `))).toBe(false);
      const before = asked.table.length;
      await eventually(() => asked.table.length > before + 3);
      // One socket at a time, but for what others on this machine open meanwhile.
      expect(Math.min(...asked.ids.slice(settled))).toBe(1);
    } finally {
      await stop();
    }
  });

  it('reads a table that costs much more rarely', async () => {
    const { system, asked } = await counted(10);
    const { stop } = watching(system, [], 1);
    try {
      await eventually(() => asked.table.length >= 4, 20_000);
    } finally {
      await stop();
    }
    // The first reading is asked for again by the look-up of its holders.
    const pauses = asked.table.slice(2).map((at, i) => at - asked.table[i + 1]!);
    expect(Math.max(...pauses)).toBeGreaterThanOrEqual(900);
  });
});
