// How targets stand in a running daemon: ejected, in panic, down, drained with a deadline, weighed; and what a reload keeps.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ReeveEvent } from '../../src/core/context.ts';
import { connectControl } from '../../src/daemon/index.ts';
import { closed } from '../contract/engine-harness.ts';
import { eventually } from '../support/children.ts';
import { addressOf, askJson, house, start } from './daemon-support.ts';

/** Says its port and then whatever it hears. */
async function talker(): Promise<{ port: number; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.write(`${(server.address() as AddressInfo).port} `);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

async function deadPort(): Promise<number> {
  const { port, server } = await talker();
  server.close();
  return port;
}

async function open(address: string): Promise<Socket> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** The port of the target that answers. */
async function answering(address: string): Promise<number> {
  const socket = await open(address);
  const [said] = (await once(socket, 'data')) as [Buffer];
  socket.end();
  await closed(socket);
  return Number(String(said).trim());
}

const web = (targets: number[], balance = '') => `
relay: { engine: portable }
listeners:
  web:
    bind: ["127.0.0.1:0"]
    balance: { targets: [${targets.map((port) => `"127.0.0.1:${port}"`).join(', ')}]${balance} }
`;

type Daemon = Awaited<ReturnType<typeof start>>;
const standing = (daemon: Daemon, port: number) =>
  daemon.status().listeners[0]!.targets.find(({ id }) => id.endsWith(`:${port}`))!;

async function told(daemon: Daemon): Promise<(ReeveEvent & { id: number })[]> {
  return (
    await askJson<{ events: (ReeveEvent & { id: number })[] }>(daemon.address, '/api/v1/events?since=0')
  ).events;
}

test('a target that refuses five times in a row is ejected, stays so over a reload, and returns', async () => {
  const [here, gone] = [(await talker()).port, await deadPort()];
  const eject = ', eject: { for: 3s }';
  const home = house(web([gone, here], eject));
  const daemon = await start(home);
  const address = addressOf(daemon, 'web');
  while (standing(daemon, gone).ejectedUntil === null) expect(await answering(address)).toBe(here);
  expect(standing(daemon, gone)).toMatchObject({ failures: 5, ejections: 1, verdict: 'unknown' });
  for (let i = 0; i < 4; i++) await answering(address);
  expect(standing(daemon, gone).failures).toBe(5);
  home.write(web([gone, here], `${eject}, policy: least-connections`));
  expect(await daemon.reload()).toMatchObject({ changes: true });
  expect(standing(daemon, gone).ejectedUntil).not.toBeNull();
  for (let i = 0; i < 4; i++) await answering(address);
  expect(standing(daemon, gone).failures).toBe(5);
  await eventually(() => standing(daemon, gone).ejectedUntil === null);
  const texts = (await told(daemon)).filter(({ kind }) => kind === 'target').map(({ message }) => message);
  expect(texts).toEqual([
    `127.0.0.1:${gone} is ejected for 3s: connections to it fail (ECONNREFUSED)`,
    `127.0.0.1:${gone} is in balance again`,
  ]);
});

test('an ejection outlives the daemon, with its length', async () => {
  const [here, gone] = [(await talker()).port, await deadPort()];
  const home = house(web([gone, here], ', eject: { for: 1h }'));
  const first = await start(home);
  while (standing(first, gone).ejectedUntil === null)
    expect(await answering(addressOf(first, 'web'))).toBe(here);
  const until = Date.parse(standing(first, gone).ejectedUntil!);
  await first.drainAndStop();
  const second = await start(home);
  expect(standing(second, gone)).toMatchObject({ ejections: 1, failures: 0 });
  expect(Math.abs(Date.parse(standing(second, gone).ejectedUntil!) - until)).toBeLessThan(5000);
  for (let i = 0; i < 4; i++) expect(await answering(addressOf(second, 'web'))).toBe(here);
  expect(standing(second, gone).failures).toBe(0);
});

test('the last target that is fit is never ejected', async () => {
  const gone = await deadPort();
  const daemon = await start(house(web([gone])));
  const address = addressOf(daemon, 'web');
  for (let i = 0; i < 7; i++) await closed(await open(address));
  expect(standing(daemon, gone)).toMatchObject({ failures: 7, ejectedUntil: null });
});

test('where fewer than half are fit all are used, and it is told once', async () => {
  const first = await talker();
  const [dead, other] = [await deadPort(), await deadPort()];
  const check = ', check: { tcp: true, interval: 100ms, fall: 1, fastInterval: 100ms }';
  const daemon = await start(house(web([dead, other, first.port], check)));
  await eventually(() => daemon.status().listeners[0]!.panic);
  const address = addressOf(daemon, 'web');
  for (let i = 0; i < 3; i++) expect(await answering(address)).toBe(first.port);
  await eventually(() => standing(daemon, dead).failures + standing(daemon, other).failures > 0);
  const panics = (await told(daemon)).filter(({ detail }) => 'panic' in detail);
  expect(panics.map(({ message }) => message)).toEqual([
    'only 1 of 3 targets are fit: all of them get connections',
  ]);
});

test.each(['close', 'keep'])('connections to a target that its check finds down: %s', async (onDown) => {
  const [doomed, other] = [await talker(), await talker()];
  const check = `, check: { tcp: true, interval: 100ms, fall: 2, fastInterval: 50ms }, onDown: ${onDown}`;
  const daemon = await start(house(web([doomed.port, other.port], check)));
  await eventually(() => daemon.status().listeners[0]!.targets.every(({ verdict }) => verdict === 'up'));
  const clients = await Promise.all([open(addressOf(daemon, 'web')), open(addressOf(daemon, 'web'))]);
  const said = await Promise.all(
    clients.map(async (client) => Number(String((await once(client, 'data'))[0]))),
  );
  const toDoomed = clients[said.indexOf(doomed.port)]!;
  const toOther = clients[said.indexOf(other.port)]!;
  const cut = closed(toDoomed);
  doomed.server.close();
  await eventually(() => standing(daemon, doomed.port).verdict === 'down');
  if (onDown === 'close') {
    await cut;
    await eventually(() => daemon.status().listeners[0]!.ended['target-down'] === 1);
  } else {
    toDoomed.write('still here');
    expect(String((await once(toDoomed, 'data'))[0])).toBe('still here');
  }
  toOther.write('and here');
  expect(String((await once(toOther, 'data'))[0])).toBe('and here');
  for (const client of clients) client.destroy();
});

test('drain with a deadline, resume and weights, by the API, and kept over a reload', async () => {
  const [one, two] = [await talker(), await talker()];
  const home = house(web([one.port, two.port]));
  const daemon = await start(home);
  const address = addressOf(daemon, 'web');
  const control = await connectControl({ configFile: home.file, env: process.env });
  const target = `127.0.0.1:${one.port}`;
  const held = await open(address);
  expect(Number(String((await once(held, 'data'))[0]))).toBe(one.port);
  const cut = closed(held);
  expect(await control.drain({ target, listener: 'web', deadlineMs: 200 })).toEqual({
    targets: [`web: ${target}`],
  });
  for (let i = 0; i < 3; i++) expect(await answering(address)).toBe(two.port);
  await cut;
  await eventually(() => daemon.status().listeners[0]!.ended.drained === 1);
  home.write(web([one.port, two.port], ', retries: 1'));
  await daemon.reload();
  expect(standing(daemon, one.port)).toMatchObject({ draining: true, connections: { active: 0 } });
  await control.drain({ target, resume: true });
  await control.weigh({ target, weight: 3 });
  expect(standing(daemon, one.port)).toMatchObject({ weight: 3, draining: false });
  const answers: number[] = [];
  for (let i = 0; i < 8; i++) answers.push(await answering(address));
  expect(answers.filter((port) => port === one.port)).toHaveLength(6);
  await control.weigh({ target, weight: null });
  expect(standing(daemon, one.port).weight).toBe(1);
  await expect(control.weigh({ target: 'nobody:1', weight: 1 })).rejects.toThrow(
    "no listener has the target 'nobody:1'",
  );
});

test('a target that comes back starts slowly', async () => {
  const [one, two] = [await talker(), await talker()];
  const check =
    ', check: { tcp: true, interval: 100ms, fall: 1, rise: 1, fastInterval: 50ms }, slowStart: 60s';
  const daemon = await start(house(web([one.port, two.port], check)));
  await eventually(() => daemon.status().listeners[0]!.targets.every(({ verdict }) => verdict === 'up'));
  expect(standing(daemon, one.port).effectiveWeight).toBe(1);
  one.server.close();
  await eventually(() => standing(daemon, one.port).verdict === 'down');
  one.server.listen(one.port, '127.0.0.1');
  await eventually(() => standing(daemon, one.port).verdict === 'up');
  const { weight, effectiveWeight } = standing(daemon, one.port);
  expect(weight).toBe(1);
  expect(effectiveWeight).toBeLessThan(0.3);
  expect(effectiveWeight).toBeGreaterThan(0);
});
