// Who listens, seen from one tree; and what is said where it cannot be seen.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startNode } from '../../test/support/children.ts';
import { needs } from '../../test/support/parts.ts';
import { silentLog } from '../core/context.ts';
import { selectSystem } from '../system/select.ts';
import { createUnsupportedSystem } from '../system/unsupported/index.ts';
import { createSight, holderOf, strangerOn } from './sight.ts';

async function listen(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const nobody = { pid: null, mark: '00000000-0000-4000-8000-000000000000' };
const linux = (what: string) => test.runIf(needs(what, 'linux'));

linux('own, strange and free ports')(
  'own, strange and free ports are told apart, and where else the tree listens',
  async () => {
    const sight = createSight(await selectSystem(), silentLog);
    const [first, second] = [await listen('127.0.0.1'), await listen('0.0.0.0')];
    const own = await sight.look({ ...nobody, pid: process.pid }, [first]);
    expect(own!.on.get(first)).toBe('own');
    expect(own!.elsewhere).toContain(`0.0.0.0:${second}`);
    const strange = await sight.look(nobody, [first, second]);
    expect(strangerOn(strange)).toMatchObject({ port: first, holder: { pid: process.pid } });
    expect(strange!.elsewhere).toEqual([]);
    expect((await holderOf(sight, second))!.words).toMatch(
      new RegExp(`^PID ${process.pid} \\(.+, user .+\\)$`),
    );
    expect((await sight.look(nobody, [1]))!.on.get(1)).toBe('nobody');
  },
);

linux('another loopback address')(
  'a listener that a connection to 127.0.0.1 does not reach is nobody there',
  async () => {
    const sight = createSight(await selectSystem(), silentLog);
    const port = await listen('127.0.0.2');
    expect((await sight.look(nobody, [port]))!.on.get(port)).toBe('nobody');
  },
);

linux('IPv6 that takes IPv4')('a listener on [::] is reached where it takes IPv4 as well', async () => {
  const sight = createSight(await selectSystem(), silentLog);
  for (const ipv6Only of [false, true]) {
    const server = createServer().listen({ port: 0, host: '::', ipv6Only });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // Its IPv4 side left free may be somebody else's.
    expect((await holderOf(sight, port))?.pid === process.pid).toBe(!ipv6Only);
    server.close();
  }
});

linux('descendants')('whoever descends from the root is of its tree', async () => {
  const sight = createSight(await selectSystem(), silentLog);
  const script = `require('net').createServer().listen(0, '127.0.0.1', function () {
    console.log(JSON.stringify({ port: this.address().port, pid: process.pid }));
  })`;
  const child = await startNode(script, { prefix: ['/bin/sh', '-c', '"$@" & wait', 'sh'] });
  const { port, pid } = JSON.parse(child.line) as { port: number; pid: number };
  // The shell would leave it behind.
  onTestFinished(() => void process.kill(pid, 'SIGKILL'));
  expect(pid).not.toBe(child.pid);
  expect((await sight.look({ ...nobody, pid: child.pid }, [port]))!.on.get(port)).toBe('own');
  expect((await sight.look({ ...nobody, pid: process.pid }, [port]))!.on.get(port)).toBe('own');
  expect((await sight.look(nobody, [port]))!.on.get(port)).toMatchObject({ pid });
});

test('where the table cannot be read nothing is claimed, and that is told once', async () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, text = '') => void warnings.push(text) };
  const sight = createSight(createUnsupportedSystem('plan9'), log);
  expect(await sight.look(nobody, [80])).toBeNull();
  expect(await holderOf(sight, 80)).toBeNull();
  expect(warnings).toEqual([
    expect.stringMatching(
      /^who listens on an instance's port is not verified: cannot read the socket table on plan9/,
    ),
  ]);
});
