// Services in a running daemon: started and stopped in order, finished, scaled, and replaced under load.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Daemon } from '../../src/daemon/index.ts';
import { openLeaseBook } from '../../src/leases/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { eventually } from '../support/children.ts';
import { addressOf, appService, ask, askJson, house, start } from './daemon-support.ts';

const web = '\nlisteners:\n  web: { bind: ["127.0.0.1:0"], balance: { service: app } }\n';
const instances = (daemon: Daemon, service = 'app') =>
  daemon.status().services.find(({ name }) => name === service)!.instances;

interface Told {
  subject: string;
  message: string;
}

async function told(daemon: Daemon): Promise<Told[]> {
  return (await askJson<{ events: Told[] }>(daemon.address, '/api/v1/events?since=0')).events;
}

async function command(daemon: Daemon, token: string, route: string, body: object) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const options = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await ask(daemon.address, `/api/v1/${route}`, options);
  return { status: answer.status, body: JSON.parse(answer.text) };
}

const tokenOf = ({ folder }: { folder: string }) =>
  readFileSync(path.join(folder, 'state', 'token'), 'utf8').trim();

/** Says when it starts and when it stops, in a file that all share. */
const diary = (name: string, more = '') => `
  ${name}:
    command: ["/bin/sh", "-c", "echo +${name} >> diary; trap 'sleep 0.2; echo -${name} >> diary; exit 0' TERM; ${process.execPath} server.mjs & wait"]
    check: { http: /, interval: 200ms, fastInterval: 50ms }
    ${more}`;

test('services start when what they depend on is there, and stop in the opposite order', async () => {
  const home = house(`
services: ${diary('web', 'dependsOn: { api: healthy }')} ${diary('api', 'dependsOn: { setup: finished, db: started }')} ${diary('db')}
  setup:
    command: ["/bin/sh", "-c", "sleep 1; echo +setup >> diary; echo -setup >> diary"]
    oneshot: true
    ports: {}
`);
  const daemon = await start(home);
  const entries = () => readFileSync(path.join(home.folder, 'diary'), 'utf8').trim().split('\n');
  expect(daemon.status().services.map(({ instances: [one] }) => one!.state)).toEqual([
    'up',
    'up',
    'up',
    'finished',
  ]);
  const order = entries();
  expect(order.indexOf('-setup')).toBeLessThan(order.indexOf('+api'));
  expect(order.indexOf('+db')).toBeLessThan(order.indexOf('+api'));
  expect(order.indexOf('+api')).toBeLessThan(order.indexOf('+web'));
  const events = await told(daemon);
  const at = (subject: string, word: string) =>
    events.findIndex((event) => event.subject === `service/${subject}/0` && event.message.startsWith(word));
  expect(at('web', 'started')).toBeGreaterThan(at('api', 'ready'));
  await daemon.drainAndStop();
  expect(entries().slice(order.length)).toEqual(['-web', '-api', '-db']);
});

test('what a service depends on and does not become healthy is told, and the reload that takes it away helps', async () => {
  const broken = '  db: { command: ["/bin/sh", "-c", "exit 3"], restart: { backoff: 10ms..50ms } }';
  const app = (more: string) => `services: ${appService}    ${more}\n${broken}\n`;
  const home = house(app('dependsOn: [db]'));
  const daemon = await start(home);
  expect(instances(daemon)).toHaveLength(2);
  expect(instances(daemon)[0]).toMatchObject({ state: 'waiting', pid: null, restarts: 0 });
  expect(instances(daemon)[0]!.detail).toMatch(
    /^waits for db to be healthy: db\/0 is (backoff|crash-looping) \(exit code 3\)$/,
  );
  home.write(app(''));
  await daemon.reload();
  await eventually(() => instances(daemon).every(({ state }) => state === 'up'));
});

test('a oneshot that fails is tried again until it succeeds, and then no more', async () => {
  const home = house(`
services:
  once:
    command: ["/bin/sh", "-c", "echo try >> tries; test $(wc -l < tries) -ge 3"]
    oneshot: true
    restart: { backoff: 10ms..50ms }
`);
  const daemon = await start(home);
  await eventually(() => instances(daemon, 'once')[0]!.state === 'finished');
  expect(instances(daemon, 'once')[0]).toMatchObject({ restarts: 2, pid: null, ports: {} });
  expect(daemon.status().services[0]!.restarts.exit).toBe(2);
  expect(readFileSync(path.join(home.folder, 'tries'), 'utf8')).toBe('try\ntry\ntry\n');
  expect((await ask(daemon.address, '/healthz')).status).toBe(200);
});

test('ready means that every instance is: the first connections already alternate', async () => {
  const home = house(`services: ${appService}${web}`);
  const daemon = await start(home);
  const answers = new Set<string>();
  for (let i = 0; i < 2; i++) answers.add((await ask(addressOf(daemon, 'web'), '/')).text);
  expect(answers.size).toBe(2);
});

test('instances are scaled until the file says another number, which the status tells', async () => {
  const home = house(`services: ${appService}${web}`);
  const daemon = await start(home);
  const scaled = await command(daemon, tokenOf(home), 'scale', { service: 'app', instances: 4 });
  expect(scaled).toEqual({ status: 200, body: { service: 'app', before: 2, instances: 4, configured: 2 } });
  expect(instances(daemon).map(({ state }) => state)).toEqual(['up', 'up', 'up', 'up']);
  expect(daemon.status().services[0]!.configured).toBe(2);
  home.write(`services: ${appService.replace('100ms..1s', '200ms..1s')}${web}`);
  await daemon.reload();
  expect(instances(daemon)).toHaveLength(4);
  home.write(`services: ${appService.replace('instances: 2', 'instances: 3')}${web}`);
  await daemon.reload();
  await eventually(() => instances(daemon).length === 3);
  await command(daemon, tokenOf(home), 'scale', { service: 'app', instances: 0 });
  expect(instances(daemon)).toEqual([]);
  const refused = await command(daemon, tokenOf(home), 'scale', { service: 'nobody', instances: 1 });
  expect(refused).toMatchObject({ status: 404, body: { code: 'not-found' } });
  const wrong = await command(daemon, tokenOf(home), 'scale', { service: 'app', instances: 257 });
  expect(wrong).toMatchObject({ status: 400, body: { code: 'usage' } });
});

test('a scale beyond the ports that there are fails, and says which instance has none', async () => {
  const home = house(`services: ${appService.replace('instances: 2', 'instances: 1')}${web}`);
  const text = readFileSync(home.file, 'utf8');
  writeFileSync(
    home.file,
    text.replace(/range: (\d+)-\d+/, (_, first) => `range: ${first}-${Number(first) + 1}`),
  );
  const daemon = await start(home);
  const scaled = await command(daemon, tokenOf(home), 'scale', { service: 'app', instances: 4 });
  expect(scaled).toMatchObject({
    status: 504,
    body: {
      code: 'timeout',
      detail: expect.stringMatching(/^app\/[1-3] did not come up: .*no port left to lease/),
    },
  });
});

test('a fixed port cannot be shared by scaling', async () => {
  const home = house('services: { one: { command: [sleep, "1000"], instances: 0, ports: { http: 19321 } } }');
  const daemon = await start(home);
  expect(await command(daemon, tokenOf(home), 'scale', { service: 'one', instances: 2 })).toMatchObject({
    status: 400,
    body: { detail: "2 instances of 'one' cannot share port 19321 (http)" },
  });
});

test('a rolling restart under load fails no request', async () => {
  const home = house(`services: ${appService}${web}`);
  const daemon = await start(home);
  const before = instances(daemon).map(({ pid }) => pid);
  const address = addressOf(daemon, 'web');
  const failures: unknown[] = [];
  let served = 0;
  let going = true;
  const client = async () => {
    while (going) {
      await ask(address, '/').then(
        ({ status, text }) => (status === 200 && text !== '' ? served++ : failures.push(status)),
        (error) => failures.push(error),
      );
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  await eventually(() => served > 50);
  const { status, body } = await command(daemon, tokenOf(home), 'restart', { service: 'app' });
  expect([status, body]).toEqual([200, { restarted: ['app/0', 'app/1'] }]);
  const during = served;
  await eventually(() => served > during + 50);
  going = false;
  await clients;
  expect(failures).toEqual([]);
  expect(instances(daemon).map(({ state, restarts }) => [state, restarts])).toEqual([
    ['up', 1],
    ['up', 1],
  ]);
  expect(instances(daemon).filter(({ pid }) => before.includes(pid))).toEqual([]);
  expect(instances(daemon)[0]!.history).toMatchObject([{ reason: 'asked-for', detail: 'asked for' }]);
  const { text } = await ask(daemon.address, '/metrics');
  expect(text).toContain('portreeve_restarts_total{service="app",reason="asked-for"} 2');
  expect(text).toContain('portreeve_instance_state{service="app",instance="app/0",state="up"} 1');
  expect(text).toContain('portreeve_instance_state{service="app",instance="app/0",state="backoff"} 0');
});

test('one instance is restarted by its number, and what is not there is told', async () => {
  const home = house(`services: ${appService}`);
  const daemon = await start(home);
  const [first] = instances(daemon);
  const token = tokenOf(home);
  const one = await command(daemon, token, 'restart', { service: 'app', instance: 1 });
  expect(one.body).toEqual({ restarted: ['app/1'] });
  expect(instances(daemon)[0]!.pid).toBe(first!.pid);
  expect((await command(daemon, token, 'restart', { service: 'app', instance: 7 })).status).toBe(404);
  expect((await command(daemon, token, 'restart', { service: 'db' })).status).toBe(404);
  expect((await command(daemon, token, 'restart', {})).status).toBe(400);
});

test('ports are leased to this daemon in the shared book, the same again after a restart, and given back', async () => {
  const home = house(`services: ${appService}`);
  const book = await openLeaseBook({
    system: await selectSystem(),
    env: {},
    folder: path.join(home.folder, 'leases'),
  });
  const daemon = await start(home);
  const ports = () => instances(daemon).map((one) => one.ports.http);
  const leases = await book.list();
  expect(leases.map(({ name, port, owner }) => [name, port, owner.pid])).toEqual(
    ports().map((port, index) => [`service/app/${index}/http`, port, process.pid]),
  );
  await eventually(async () => (await book.list()).every(({ state }) => state === 'bound'));
  const before = ports();
  await daemon.drainAndStop();
  expect(await book.list()).toEqual([]);
  const again = await start(home);
  expect(instances(again).map((one) => one.ports.http)).toEqual(before);
  book.close();
});
