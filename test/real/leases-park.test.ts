// What a parked port is safe from: outgoing connections, servers that take any port, and binds without SO_REUSEADDR.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { selectSystem } from '../../src/system/select.ts';
import { bundled } from '../support/bundled.ts';
import { freeRange } from '../support/free-range.ts';
import { needs } from '../support/parts.ts';

const run = promisify(execFile);

interface Outcome {
  leased: number;
  range: { first: number; last: number };
  servers: number[];
  ipv4: number[];
  ipv6: number[];
  bound: string | null;
}

describe.runIf(needs('a storm of connections in a namespace', 'linux', 'root', 'ip', 'ipv6'))(
  'a storm',
  () => {
    async function storm(mode: 'parked' | 'unparked'): Promise<Outcome> {
      const script = await bundled(new URL('../fixtures/leases/ephemeral.ts', import.meta.url));
      const name = `reeve-storm-${mode}-${process.pid}`;
      await run('ip', ['netns', 'add', name]);
      try {
        const command = [process.execPath, script, mode];
        const { stdout } = await run('ip', ['netns', 'exec', name, ...command], { timeout: 30_000 });
        return JSON.parse(stdout);
      } finally {
        await run('ip', ['netns', 'delete', name]);
      }
    }
    const all = ({ range }: Outcome) => Array.from({ length: 10 }, (_, i) => range.first + i);

    it('takes a leased port that is not parked', async () => {
      const outcome = await storm('unparked');
      expect(outcome.servers).toContain(outcome.leased);
      expect(outcome.ipv4).toContain(outcome.leased);
      expect(outcome.ipv6).toContain(outcome.leased);
      expect(outcome.ipv4).toEqual(all(outcome));
    });

    it('never takes a parked port, though it takes every other', async () => {
      const outcome = await storm('parked');
      const others = all(outcome).filter((port) => port !== outcome.leased);
      expect(outcome).toMatchObject({ servers: others, ipv4: others, ipv6: others, bound: null });
    });
  },
);

describe.runIf(needs('parked ports', 'linux', 'ipv6'))('a parked port', () => {
  it('is refused to a bind without SO_REUSEADDR, and open to a server that sets it', async () => {
    const { binder, sockets } = await selectSystem();
    const port = await freeRange(1);
    const parked = await binder.park(port);
    const request = { protocol: 'tcp', port, v6only: false } as const;
    for (const address of ['::', '0.0.0.0', '127.0.0.1', '::1']) {
      const outcome = await binder.attempt({ ...request, address, reuse: false });
      expect(outcome).toMatchObject({ ok: false, error: { code: 'EADDRINUSE' } });
      expect(await binder.attempt({ ...request, address, reuse: true })).toMatchObject({ ok: true });
    }
    // UDP is not parked.
    for (const address of ['::', '0.0.0.0'])
      expect(await binder.attempt({ ...request, protocol: 'udp', address, reuse: false })).toMatchObject({
        ok: true,
      });
    const server = createServer((socket) => socket.end('hello')).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const { rows } = await sockets.table({ ports: [{ first: port, last: port }], listening: true });
    expect(rows).toHaveLength(1);
    // Parking is no way into a port that is served.
    await expect(binder.park(port)).rejects.toMatchObject({ code: 'conflict' });
    parked.release();
    parked.release();
    server.close();
    await once(server, 'close');
    expect(await binder.attempt({ ...request, address: '::', reuse: false })).toMatchObject({ ok: true });
  });

  it('may be parked by several, and is free when the last lets go', async () => {
    const { binder } = await selectSystem();
    const port = await freeRange(1);
    const [one, two] = [await binder.park(port), await binder.park(port)];
    one.release();
    const attempt = () =>
      binder.attempt({ protocol: 'tcp', address: '::', port, reuse: false, v6only: false });
    expect(await attempt()).toMatchObject({ ok: false });
    two.release();
    expect(await attempt()).toMatchObject({ ok: true });
  });
});
