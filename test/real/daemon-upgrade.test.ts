// `reeve upgrade`: another process takes over the sockets; connections end in the old one; a bad one changes nothing.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import type { DaemonStatus, UpgradeResult } from '../../src/daemon/index.ts';
import { who } from '../../src/ports/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { eventually } from '../support/children.ts';
import { reeve, reeveJson } from '../support/reeve.ts';
import { parse } from '../support/sinks.ts';
import { heldRequest, listenerAt, type Up, up } from './daemon-process.ts';
import { appService, ask, askJson, type House, house } from './daemon-support.ts';
import { freePort } from './daemon-talk.ts';
import { udpClient, udpServer } from './udp-support.ts';

const config = (more = '') => `
services: ${appService}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
  intake: { bind: ["127.0.0.1:0"], sink: lines }
sinks:
  lines: { file: lines.jsonl }
checks:
  nobody: { url: "tcp://127.0.0.1:1", fall: 1, interval: 500ms, timeout: 200ms }
${more}`;

const started: Up[] = [];
/** Whoever has taken over is nobody's child here: it is asked to end. */
afterEach(async () => {
  for (const { control } of started.splice(0)) {
    const status = await askJson<DaemonStatus>(control, '/api/v1/status').catch(() => null);
    if (!status) continue;
    const { processes } = await selectSystem();
    const identity = (await processes.identify(status.pid))!;
    for (const name of ['SIGTERM', 'SIGINT'] as const) await processes.signal(identity, name);
    await processes.exited(identity, AbortSignal.timeout(10_000));
  }
});

async function begin(home: House, more: string[] = []): Promise<Up> {
  const one = await up(home, more, { REEVE_LEASES: path.join(home.folder, 'leases') });
  started.push(one);
  return one;
}

const upgrade = (home: House, ...more: string[]) =>
  reeveJson<UpgradeResult>(['upgrade', '-c', home.file, ...more]);

test('the sockets stay, connections end in the old process, and nothing is deregistered or left behind', async () => {
  const home = house(config());
  const old = await begin(home);
  const before = await old.status();
  const web = listenerAt(before, 'web');
  const intake = connect(Number(listenerAt(before, 'intake').split(':')[1]), '127.0.0.1');
  intake.write('before\n');
  const held = await heldRequest(web);
  await eventually(async () => (await old.status()).checks[0]!.verdict === 'down');
  const told = await upgrade(home);
  expect(told).toMatchObject({ before: { pid: before.pid }, control: old.control, deadlineMs: 30_000 });
  expect(told.connections).toBeGreaterThanOrEqual(2);
  const after = await old.status();
  expect(after).toMatchObject({ pid: told.after.pid, state: 'ready', control: before.control });
  expect(after.listeners.map(({ binds }) => binds)).toEqual(before.listeners.map(({ binds }) => binds));
  expect(after.services[0]!.instances.map(({ pid }) => pid)).not.toContain(
    before.services[0]!.instances[0]!.pid,
  );
  // Remembered, not probed anew: one probe could not have told by now.
  expect(after.checks[0]).toMatchObject({ verdict: 'down' });

  expect((await ask(web, '/')).status).toBe(200);
  intake.end('after\n');
  for (const { ports } of before.services[0]!.instances) await ask(`127.0.0.1:${ports.http}`, '/release');
  expect(await new Promise((resolve) => old.child.once('exit', resolve))).toBe(0);
  expect(held.text).toContain('and ended');
  await eventually(() => old.stderr.includes(`PID ${before.pid}, the daemon before this one, has ended`));
  const lines = readFileSync(path.join(home.folder, 'lines.jsonl'), 'utf8');
  expect(lines.match(/before|after/g)).toEqual(['before', 'after']);
  const state = readdirSync(path.join(home.folder, 'state'));
  expect(state.filter((name) => /^(instances|daemon)/.test(name))).toEqual([
    'daemon.json',
    `instances.${told.after.pid}.json`,
  ]);
  // Its instances have none of the sockets that it was given.
  const listening = await who(await selectSystem(), [
    { kind: 'ports', text: '', protocol: 'tcp', host: null, range: portOf(web) },
  ]);
  const holders = listening.sockets
    .filter(({ state }) => state === 'listen')
    .flatMap(({ holders }) => holders);
  const { processes } = await selectSystem();
  const children = (await processes.list()).filter(({ parent }) => parent === told.after.pid);
  for (const { pid } of holders)
    expect([told.after.pid, ...children.map((child) => child.pid)]).toContain(pid);
  const instances = after.services[0]!.instances.map(({ pid }) => pid);
  for (const { pid } of holders) expect(instances).not.toContain(pid);
});

const portOf = (address: string) => {
  const port = Number(address.split(':')[1]);
  return { first: port, last: port };
};

test.each([
  ['a wrong file', 'nonsense: true', /nonsense/],
  ['a port that is held', null, /cannot listen/],
  ['a service that does not come up', null, /app\/0 did not come up/],
])('%s: the old daemon goes on, and says why', async (what, text, why) => {
  const home = house(config());
  const old = await begin(home);
  const before = await old.status();
  const web = listenerAt(before, 'web');
  if (text) home.write(text);
  else if (what.includes('held'))
    home.write(config().replace('intake: { bind: ["127.0.0.1:0"', `intake: { bind: ["${before.control}"`));
  else writeFileSync(path.join(home.folder, 'server.mjs'), 'process.exit(3)');
  const told = await reeve([
    'upgrade',
    '-c',
    home.file,
    '--control',
    old.control,
    '--token-file',
    path.join(home.folder, 'state/token'),
    '--timeout',
    '10s',
  ]);
  expect(told.code).not.toBe(0);
  expect(told.stderr).toMatch(why);
  const after = await old.status();
  expect(after).toMatchObject({ pid: before.pid, state: 'ready' });
  expect(after.checks[0]!.name).toBe('nobody');
  expect((await ask(web, '/')).text).toBe(String(after.services[0]!.instances[0]!.pid));
  expect(JSON.parse(readFileSync(path.join(home.folder, 'state/daemon.json'), 'utf8'))).toMatchObject({
    pid: before.pid,
    control: old.control,
  });
  expect(old.stderr).toContain('upgrade refused, nothing has changed');
});

test('a new daemon that is killed while it starts is no loss', async () => {
  const home = house(config());
  const old = await begin(home);
  const before = await old.status();
  writeFileSync(path.join(home.folder, 'server.mjs'), 'setInterval(() => {}, 1000)');
  const told = reeve(['upgrade', '-c', home.file]);
  const { processes } = await selectSystem();
  const heir = await eventually(async () => {
    const children = (await processes.list()).filter(({ parent }) => parent === before.pid);
    for (const { pid } of children) {
      const facts = await processes.facts(pid);
      if (facts?.command.includes('up') && facts.command.some((word) => word.endsWith('reeve.cjs')))
        return pid;
    }
    return null;
  });
  const identity = (await processes.identify(heir))!;
  await processes.signal(identity, 'SIGKILL');
  expect(await told).toMatchObject({ code: 1, stderr: expect.stringContaining('could not take over') });
  expect((await ask(listenerAt(before, 'web'), '/')).status).toBe(200);
  expect((await old.status()).pid).toBe(before.pid);
});

test('a service on a port of its own moves from the old process to the new one', async () => {
  const free = await freePort();
  const fixed = appService.replace('instances: 2', `instances: 1\n    ports: { http: ${free} }`);
  const home = house(`
services: ${fixed}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
`);
  const old = await begin(home);
  await upgrade(home);
  const { pid } = await eventually(async () => {
    const { services } = await old.status();
    const [instance] = services[0]!.instances;
    return instance?.state === 'up' ? instance : null;
  });
  expect((await ask(`127.0.0.1:${free}`, '/')).text).toBe(String(pid));
  expect((await ask(listenerAt(await old.status(), 'web'), '/')).text).toBe(String(pid));
});

test('an upgrade of an upgrade, while the first still drains; a deadline ends what does not end', async () => {
  const home = house(config());
  const old = await begin(home);
  const web = listenerAt(await old.status(), 'web');
  const held = await heldRequest(web);
  const first = await upgrade(home, '--deadline', '1h');
  const later = await heldRequest(web);
  const second = await upgrade(home, '--deadline', '200ms');
  expect(second.before.pid).toBe(first.after.pid);
  await eventually(() => later.socket.destroyed);
  expect(old.child.exitCode).toBe(null);
  expect(held.socket.destroyed).toBe(false);
  expect((await ask(web, '/')).status).toBe(200);
  // The first still waits: it ends when its connection does.
  held.socket.destroy();
  await eventually(() => old.child.exitCode === 0);
});

test('datagrams go on: each is heard once, and answered, by the old process where it had heard it', async () => {
  // Late, so that some answers are always under way.
  const answers = new Set<NodeJS.Timeout>();
  onTestFinished(() => answers.forEach(clearTimeout));
  const target = await udpServer((datagram, { port, address }) => {
    answers.add(setTimeout(() => target.socket.send(datagram, port, address), 200));
    return null;
  });
  const home = house(`
listeners:
  echo: { bind: ["udp://127.0.0.1:0"], balance: { targets: ["127.0.0.1:${target.port}"] } }
  intake: { bind: ["udp://127.0.0.1:0"], sink: lines }
sinks:
  lines: { file: lines.jsonl }
`);
  const old = await begin(home);
  const before = await old.status();
  const clientOf = (name: string) => udpClient(Number(listenerAt(before, name).split(':').at(-1)));
  const [asking, telling] = [await clientOf('echo'), await clientOf('intake')];
  let said = 0;
  // Slow enough for the kernel to keep what comes while neither of both reads.
  const talk = setInterval(() => {
    said += 1;
    asking.say(`${said}`);
    telling.say(`${said}`);
  }, 20);
  onTestFinished(() => clearInterval(talk));
  await eventually(() => asking.answers.length > 10);
  const { pid } = (await upgrade(home)).after;
  const after = await old.status();
  expect(after.pid).toBe(pid);
  expect(after.listeners.map(({ binds }) => binds)).toEqual(before.listeners.map(({ binds }) => binds));
  await eventually(async () =>
    (await old.status()).listeners.every(({ datagrams }) => datagrams!.received > 10),
  );
  // Its sessions are quiet now, so that it waits for nobody.
  await eventually(() => old.child.exitCode === 0);
  clearInterval(talk);
  const all = Array.from({ length: said }, (_, i) => `${i + 1}`);
  const numbers = (texts: unknown[]) => texts.map(String).toSorted((a, b) => Number(a) - Number(b));
  await eventually(() => asking.answers.length >= said);
  expect(numbers(asking.answers)).toEqual(all);
  const kept = () => parse(readFileSync(path.join(home.folder, 'lines.jsonl'), 'utf8'));
  await eventually(() => kept().length >= said);
  expect(numbers(kept().map(({ text }) => text))).toEqual(all);
});

test('nobody else can pretend to be upgraded from', async () => {
  const home = house(config());
  const other = await up(home, [], { REEVE_SUCCEEDS: '9' });
  await eventually(() => other.child.exitCode === 2);
  expect(other.stderr).toContain('REEVE_SUCCEEDS is for reeve upgrade alone');
});
