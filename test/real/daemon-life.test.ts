// Starting and stopping in process: order, what stands in the way, the lock, and clients that find the daemon.
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { silentLog } from '../../src/core/context.ts';
import { connectControl, startDaemon } from '../../src/daemon/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { eventually, startNode } from '../support/children.ts';
import { addressOf, appService, ask, askJson, house, start } from './daemon-support.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function hold(): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const env = process.env;

test('an address that is held stops the start, names the holder, and leaves nothing running', async () => {
  const holder = await startNode(
    `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
  );
  const home = house(`
services: ${appService}
listeners:
  web: { bind: ["127.0.0.1:${holder.line}"], balance: { service: app } }
`);
  await expect(start(home)).rejects.toMatchObject({
    code: 'conflict',
    exitCode: 1,
    message: expect.stringMatching(new RegExp(`127.0.0.1:${holder.line}.*node.*${holder.pid}`)),
  });
  expect(existsSync(path.join(home.folder, 'state/daemon.json'))).toBe(false);
  const { processes } = await selectSystem();
  const children = (await processes.list()).filter(({ parent }) => parent === process.pid);
  expect(children.map(({ pid }) => pid)).toEqual([holder.pid]);
});

test('the next port is taken where the configuration says so, and everybody is told which', async () => {
  const port = await hold();
  const daemon = await start(
    house(`
listeners:
  intake: { bind: ["127.0.0.1:${port}"], conflict: { policy: next }, sink: out }
sinks:
  out: { stdout: true }
`),
  );
  const [bind] = daemon.status().listeners[0]!.binds;
  expect(bind).toMatchObject({ asked: `127.0.0.1:${port}`, listening: true, verified: true });
  expect(bind!.address).not.toBe(bind!.asked);
  const { events } = await askJson<{ events: { kind: string; message: string }[] }>(
    daemon.address,
    '/api/v1/events?since=0',
  );
  expect(events.filter(({ kind }) => kind === 'conflict').at(-1)!.message).toContain(
    bind!.address.split(':')[1],
  );
});

test('a holder is evicted where its name is allowed, and only then', async () => {
  const script = `process.title = 'squatter'; require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
  const holder = await startNode(script);
  const { processes } = await selectSystem();
  const { name } = (await processes.facts(holder.pid))!;
  const web = (allowed: string) => `
listeners:
  web: { bind: ["127.0.0.1:${holder.line}"], conflict: { policy: evict, for: 10s, allowEvict: [${allowed}] }, sink: out }
sinks:
  out: { stdout: true }
`;
  await expect(start(house(web('somebody-else')))).rejects.toMatchObject({
    message: expect.stringContaining(`PID ${holder.pid}`),
  });
  expect(holder.process.exitCode).toBe(null);
  const ended = once(holder.process, 'exit');
  const daemon = await start(house(web(name)));
  expect(addressOf(daemon, 'web')).toBe(`127.0.0.1:${holder.line}`);
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test('a control address that is held is a clear error', async () => {
  const port = await hold();
  const home = house('');
  const text = readFileSync(home.file, 'utf8').replace('127.0.0.1:0', `127.0.0.1:${port}`);
  writeFileSync(home.file, text);
  await expect(start(home)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(
      new RegExp(`control API cannot listen on 127.0.0.1:${port}.*${process.pid}`),
    ),
    hint: expect.stringContaining('control.listen'),
  });
});

test('a client finds the daemon by its configuration, and drives it', async () => {
  const home = house(`
services: ${appService}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
`);
  const daemon = await start(home);
  const control = await connectControl({ configFile: home.file, env });
  expect(control.address).toBe(daemon.address);
  expect(await control.status()).toMatchObject({ state: 'ready', pid: process.pid });
  expect(await control.reload()).toMatchObject({ changes: false });
  const { targets } = daemon.status().listeners[0]!;
  expect(await control.drain({ target: targets[0]!.id })).toEqual({ targets: [`web: ${targets[0]!.id}`] });
  expect(await control.drain({ target: 'app/1', listener: 'web' })).toEqual({
    targets: [`web: ${targets[1]!.id}`],
  });
  await expect(control.drain({ target: 'nobody' })).rejects.toMatchObject({ code: 'not-found' });

  const stop = new AbortController();
  const messages: string[] = [];
  const following = (async () => {
    for await (const { message } of control.events(0, stop.signal)) messages.push(message);
  })();
  await eventually(() => messages.some((message) => message.startsWith('ready, control API')));
  await control.reload();
  await eventually(() => messages.includes('reloaded: nothing has changed'));
  stop.abort();
  await expect(following).rejects.toMatchObject({ code: 'aborted' });

  await control.stop();
  await daemon.stopped;
  await expect(control.status()).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('reeve up'),
  });
});

test('draining: not ready at once, the request under way ends well, then all is gone', async () => {
  const home = house(`
services: ${appService.replace('instances: 2', 'instances: 1')}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
`);
  const daemon = await start(home);
  const web = addressOf(daemon, 'web');
  const [instance] = daemon.status().services[0]!.instances;
  const held = connect(Number(web.split(':')[1]), '127.0.0.1');
  let text = '';
  held.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  held.write('GET /hold HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => text.includes('begun'));
  const stopping = daemon.drainAndStop();
  expect((await ask(daemon.address, '/readyz')).status).toBe(503);
  expect((await ask(daemon.address, '/healthz')).status).toBe(503);
  await eventually(() =>
    ask(web, '/').then(
      () => false,
      (error) => error.code === 'ECONNREFUSED',
    ),
  );
  expect(daemon.status().state).toBe('draining');
  const closed = once(held, 'close');
  await ask(`127.0.0.1:${instance!.ports.http}`, '/release');
  await closed;
  expect(text).toContain('and ended');
  await stopping;
  await daemon.stopped;
  expect(daemon.status().state).toBe('stopped');
  const { processes } = await selectSystem();
  await eventually(async () => !(await processes.facts(instance!.pid!)));
  await expect(ask(daemon.address, '/readyz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(existsSync(path.join(home.folder, 'state/daemon.json'))).toBe(false);
});

test('a connection that will not end is ended at the deadline, and said to be', async () => {
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  servers.push(silent);
  await once(silent, 'listening');
  const target = (silent.address() as AddressInfo).port;
  const ends: unknown[] = [];
  const log = { debug() {}, warn() {}, error() {}, info: (fields: object) => void ends.push(fields) };
  const daemon = await start(
    house(`\nlisteners:\n  web: { bind: ["127.0.0.1:0"], balance: { targets: ["127.0.0.1:${target}"] } }`),
    { log, drainDeadline: 100 },
  );
  const socket = connect(Number(addressOf(daemon, 'web').split(':')[1]), '127.0.0.1');
  socket.on('error', () => {});
  await eventually(() => daemon.status().listeners[0]!.targets[0]!.connections.active === 1);
  await daemon.drainAndStop();
  expect(ends).toContainEqual(expect.objectContaining({ listener: 'web', reason: 'drained' }));
  socket.destroy();
});

test.each(['signal', 'API'])('a start that is cancelled by %s leaves nothing behind', async (by) => {
  const port = await hold();
  const home = house(`
listeners:
  web: { bind: ["127.0.0.1:${port}"], conflict: { policy: retry, for: 1h }, sink: out }
sinks:
  out: { file: out.jsonl }
`);
  const cancel = new AbortController();
  const starting = startDaemon(
    {
      configFile: home.file,
      system: await selectSystem(),
      env,
      stdout: process.stdout,
      log: silentLog,
      version: 'test',
    },
    cancel.signal,
  );
  const lock = path.join(home.folder, 'state/daemon.json');
  const { control } = await eventually(() => {
    const record = existsSync(lock) && JSON.parse(readFileSync(lock, 'utf8'));
    return record?.control ? (record as { control: string }) : null;
  });
  expect((await ask(control, '/readyz')).status).toBe(503);
  const client = await connectControl({ configFile: home.file, env });
  await expect(client.reload()).rejects.toMatchObject({ code: 'conflict' });
  if (by === 'API') await client.stop();
  else cancel.abort();
  await expect(starting).rejects.toMatchObject({ code: 'aborted' });
  expect(existsSync(lock)).toBe(false);
});
