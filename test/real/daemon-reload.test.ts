// Reload: a bad file changes nothing, a good one touches only what it names, and connections live on.
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { who } from '../../src/ports/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { addressOf, appService, ask, house, start } from './daemon-support.ts';
import { echo, freePort, listeners, open } from './daemon-talk.ts';

test('a wrong file is refused with every error, and nothing changes', async () => {
  const a = await echo('a');
  const home = house(listeners(`  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${a}"] } }`));
  const daemon = await start(home);
  const before = daemon.status();
  home.write(listeners('  web: { bind: ["nowhere"], balance: { service: missing } }\n  other: { bnid: [] }'));
  await expect(daemon.reload()).rejects.toMatchObject({
    code: 'config',
    message: expect.stringMatching(/nowhere[\s\S]*bnid/),
  });
  expect(daemon.status().listeners).toEqual(before.listeners);
  expect((await open(addressOf(daemon, 'web'))).text).toBe('a\n');
});

test('an address that cannot be bound refuses the whole reload', async () => {
  const a = await echo('a');
  const held = await echo('held');
  const free = await freePort();
  const web = `  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${a}"] } }`;
  const home = house(listeners(web));
  const daemon = await start(home);
  home.write(
    listeners(
      `${web}\n  one: { bind: ["127.0.0.1:${free}"], balance: { targets: ["${a}"] } }\n  two: { bind: ["${held}"], balance: { targets: ["${a}"] } }`,
    ),
  );
  await expect(daemon.reload()).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`PID ${process.pid}`),
  });
  expect(daemon.status().listeners.map(({ name }) => name)).toEqual(['web']);
  const sockets = await who(await selectSystem(), [
    { kind: 'ports', text: '', protocol: 'tcp', host: null, range: { first: free, last: free } },
  ]);
  expect(sockets.sockets).toEqual([]);
});

test('a file that says the same changes nothing, and says so', async () => {
  const a = await echo('a');
  const home = house(listeners(`  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${a}"] } }`));
  const daemon = await start(home);
  expect(await daemon.reload()).toMatchObject({ changes: false, restart: [] });
});

test('new targets serve new connections, and the open ones go on', async () => {
  const [a, b] = [await echo('a'), await echo('b')];
  const web = (target: string) =>
    listeners(`  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${target}"] } }`);
  const home = house(web(a));
  const daemon = await start(home);
  const address = addressOf(daemon, 'web');
  const before = await open(address);
  home.write(web(b));
  expect(await daemon.reload()).toMatchObject({ changes: true, listeners: { changed: ['web'] } });
  expect(addressOf(daemon, 'web')).toBe(address);
  expect((await open(address)).text).toBe('b\n');
  before.socket.write('still here\n');
  await eventually(() => before.text === 'a\nstill here\n');
});

test.runIf(needs('a refused reload keeps no file open', 'linux'))(
  'a refused reload keeps no file open',
  async () => {
    const held = await echo('held');
    const home = house('');
    const daemon = await start(home);
    home.write(`${listeners(`  in: { bind: ["${held}"], sink: new }`)}\nsinks:\n  new: { file: new.jsonl }`);
    await expect(daemon.reload()).rejects.toMatchObject({ code: 'conflict' });
    const open = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    expect(open.filter((name) => name.includes('new.jsonl'))).toEqual([]);
    expect(daemon.status().sinks).toEqual([]);
  },
);

test('instances come and go by number, and the ones that stay are not touched', async () => {
  const web = '\nlisteners:\n  web: { bind: ["127.0.0.1:0"], balance: { service: app } }';
  const home = house(`\nservices: ${appService}${web}`);
  const daemon = await start(home);
  const instances = () => daemon.status().services[0]!.instances;
  await eventually(() => instances().every(({ state }) => state === 'up'));
  const before = instances().map(({ pid }) => pid);
  home.write(`\nservices: ${appService.replace('instances: 2', 'instances: 3')}${web}`);
  expect(await daemon.reload()).toMatchObject({ services: { changed: ['app'] }, listeners: { changed: [] } });
  await eventually(() => instances().length === 3 && instances().every(({ state }) => state === 'up'));
  expect(
    instances()
      .map(({ pid }) => pid)
      .slice(0, 2),
  ).toEqual(before);
  const answers = new Set<string>();
  for (let i = 0; i < 6; i++) answers.add((await ask(addressOf(daemon, 'web'), '/')).text);
  expect(answers.size).toBe(3);
});

test('a service goes with the listener that used it, and its processes end', async () => {
  const a = await echo('a');
  const fixed = listeners(`  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${a}"] } }`);
  const home = house(
    `\nservices: ${appService}\nlisteners:\n  web: { bind: ["127.0.0.1:0"], balance: { service: app } }`,
  );
  const daemon = await start(home);
  const pids = daemon.status().services[0]!.instances.map(({ pid }) => pid!);
  home.write(fixed);
  await daemon.reload();
  expect((await open(addressOf(daemon, 'web'))).text).toBe('a\n');
  await eventually(() => daemon.status().services.length === 0);
  const { processes } = await selectSystem();
  await eventually(async () => (await Promise.all(pids.map((pid) => processes.facts(pid)))).every((x) => !x));
});

test('what goes and comes back while its connections still drain is there to stay', async () => {
  const both = `
services: ${appService}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
  intake: { bind: ["127.0.0.1:0"], sink: events }
sinks:
  events: { file: events.jsonl }
`;
  const home = house(both);
  const daemon = await start(home);
  const held = connect(Number(addressOf(daemon, 'intake').split(':')[1]), '127.0.0.1');
  held.write('first\n');
  await eventually(() => daemon.status().sinks[0]!.delivered === 1);
  home.write('');
  await daemon.reload();
  expect(daemon.status().listeners).toEqual([]);
  home.write(both);
  await daemon.reload();
  held.write('second\n');
  await eventually(() => daemon.status().sinks[0]?.delivered === 2);
  const ended = once(held, 'close');
  held.end();
  await ended;
  // Whatever was to be tidied up after the removal has been by the time that another reload has come and gone.
  home.write(`${both}checks:\n  x: { url: "tcp://127.0.0.1:1" }`);
  await daemon.reload();
  const again = connect(Number(addressOf(daemon, 'intake').split(':')[1]), '127.0.0.1');
  again.end('third\n');
  await eventually(() => daemon.status().sinks[0]?.delivered === 3);
  expect((await ask(addressOf(daemon, 'web'), '/')).status).toBe(200);
});

test('a sink that moves takes its listener along without losing a line', async () => {
  const intake = (file: string) =>
    `\nlisteners:\n  intake: { bind: ["127.0.0.1:0"], sink: events }\nsinks:\n  events: { file: ${file} }`;
  const home = house(intake('one.jsonl'));
  const daemon = await start(home);
  const socket = connect(Number(addressOf(daemon, 'intake').split(':')[1]), '127.0.0.1');
  socket.write('first\n');
  await eventually(() => daemon.status().sinks[0]!.delivered === 1);
  home.write(intake('two.jsonl'));
  await daemon.reload();
  socket.end('second\n');
  await eventually(() => daemon.status().sinks[0]!.delivered === 2);
  const read = (file: string) => readFileSync(path.join(home.folder, file), 'utf8');
  expect(read('one.jsonl')).toContain('"first"');
  expect(read('two.jsonl')).toContain('"second"');
});

test('what only a restart can change is said, and left as it was', async () => {
  const home = house('');
  const daemon = await start(home);
  const { address } = daemon;
  home.write('\nrelay: { engine: portable }');
  expect(await daemon.reload()).toMatchObject({ changes: true, restart: ['relay'] });
  expect(daemon.address).toBe(address);
  expect((await ask(address, '/readyz')).status).toBe(200);
  expect(existsSync(path.join(home.folder, 'state/daemon.json'))).toBe(true);
});
