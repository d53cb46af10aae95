// The daemon at work: balancing over real instances, healing, intake, fixed targets, draining, metrics.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { selectSystem } from '../../src/system/select.ts';
import { eventually } from '../support/children.ts';
import { needs, program } from '../support/parts.ts';
import { addressOf, appService, ask, house, start } from './daemon-support.ts';

const balanced = `
services: ${appService}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
`;

test('requests reach both instances in turn, and the status tells so', async () => {
  const daemon = await start(house(balanced));
  await eventually(() => daemon.status().services[0]!.instances.every(({ state }) => state === 'up'));
  const web = addressOf(daemon, 'web');
  const answers: string[] = [];
  for (let i = 0; i < 6; i++) answers.push((await ask(web, '/')).text);
  const pids = daemon.status().services[0]!.instances.map(({ pid }) => String(pid));
  expect(new Set(answers)).toEqual(new Set(pids));
  for (let i = 1; i < 6; i++) expect(answers[i]).not.toBe(answers[i - 1]);
  await eventually(() => daemon.status().listeners[0]!.connections.active === 0);
  const [listener] = daemon.status().listeners;
  expect(listener).toMatchObject({ serves: 'service/app', connections: { total: 6 }, ended: { done: 6 } });
  expect(listener!.binds[0]).toMatchObject({ listening: true, verified: true });
  expect(listener!.targets.map(({ connections }) => connections.total)).toEqual([3, 3]);
});

test('killed under load, only requests that the instance had may fail, and it comes back', async () => {
  const daemon = await start(house(balanced));
  const instances = () => daemon.status().services[0]!.instances;
  await eventually(() => instances().every(({ state }) => state === 'up'));
  const web = addressOf(daemon, 'web');
  const killed = instances()[0]!.pid!;
  const failures: unknown[] = [];
  const answers = new Set<string>();
  let going = true;
  const client = async () => {
    while (going) {
      const answer = await ask(web, '/').catch((error) => failures.push(error) && null);
      if (answer) answers.add(answer.text);
    }
  };
  const clients = [client(), client(), client(), client()];
  await eventually(() => answers.has(String(killed)));
  process.kill(killed, 'SIGKILL');
  const healed = await eventually(() => {
    const [first] = instances();
    return first!.restarts === 1 && first!.state === 'up' && answers.has(String(first!.pid)) ? first : null;
  });
  going = false;
  await Promise.all(clients);
  // A connection that the dead process had accepted already is lost with it; none that came after is.
  expect(failures.length).toBeLessThanOrEqual(clients.length);
  expect(healed.pid).not.toBe(killed);
  expect(healed.detail).toBe('killed by SIGKILL');
});

test('no request fails once an instance is dead, and all are there again soon', async () => {
  const daemon = await start(house(balanced));
  const instances = () => daemon.status().services[0]!.instances;
  await eventually(() => instances().every(({ state }) => state === 'up'));
  const web = addressOf(daemon, 'web');
  const { processes } = await selectSystem();
  for (let round = 0; round < 3; round++) {
    // Until the kernel has taken its sockets down, a dying process still seems to accept.
    const victim = await processes.identify(instances()[round % 2]!.pid!);
    process.kill(victim!.pid, 'SIGKILL');
    await processes.exited(victim!, AbortSignal.timeout(5000));
    await eventually(() => daemon.status().listeners[0]!.targets[round % 2]!.verdict === 'down');
    for (let i = 0; i < 20; i++) expect((await ask(web, '/')).status).toBe(200);
    await eventually(() => instances().every(({ state }) => state === 'up'));
  }
  await eventually(() => daemon.status().listeners[0]!.ended.done === 60);
});

test('lines that are sent to an intake land in the file, whole and in order', async () => {
  const home = house(`
listeners:
  intake: { bind: ["127.0.0.1:0"], frame: line, sink: events }
sinks:
  events: { file: ./data/events.jsonl }
`);
  const daemon = await start(home);
  const { port } = new URL(`http://${addressOf(daemon, 'intake')}`);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('one\ntwo\nthree\n');
  await eventually(() => daemon.status().sinks[0]!.delivered === 3);
  const lines = readFileSync(path.join(home.folder, 'data/events.jsonl'), 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { listener: 'intake', sequence: 1, text: 'one' },
    { listener: 'intake', sequence: 2, text: 'two' },
    { listener: 'intake', sequence: 3, text: 'three' },
  ]);
  expect(daemon.status().listeners[0]).toMatchObject({ serves: 'sink/events', bytes: { received: 14 } });
});

async function httpTarget(text: string): Promise<{ id: string; close(): Promise<void> }> {
  const server = createServer((_request, response) => response.setHeader('connection', 'close').end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    id: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test('fixed targets follow their check; without one they are used unseen', async () => {
  const a = await httpTarget('a');
  const b = await httpTarget('b');
  const check = 'check: { tcp: true, interval: 50ms, fastInterval: 50ms, fall: 2 }';
  const daemon = await start(
    house(`
listeners:
  checked: { bind: ["127.0.0.1:0"], balance: { targets: ["${a.id}", "${b.id}"], ${check} } }
  unseen: { bind: ["127.0.0.1:0"], balance: { targets: ["${a.id}", "${b.id}"] } }
`),
  );
  const verdicts = (name: string) =>
    daemon
      .status()
      .listeners.find((listener) => listener.name === name)!
      .targets.map(({ verdict }) => verdict);
  await eventually(() => verdicts('checked').every((verdict) => verdict === 'up'));
  expect(verdicts('unseen')).toEqual(['unknown', 'unknown']);
  expect((await ask(addressOf(daemon, 'unseen'), '/')).text).toMatch(/^[ab]$/);
  await b.close();
  await eventually(() => verdicts('checked')[1] === 'down');
  for (let i = 0; i < 4; i++) expect((await ask(addressOf(daemon, 'checked'), '/')).text).toBe('a');
  // Not known to be down, but found to be: the connection goes to the other one.
  for (let i = 0; i < 4; i++) expect((await ask(addressOf(daemon, 'unseen'), '/')).text).toBe('a');
  await a.close();
});

test('a drained target gets no new connections until it is resumed', async () => {
  const a = await httpTarget('a');
  const b = await httpTarget('b');
  const home = house(`
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${a.id}", "${b.id}"] } }
`);
  const daemon = await start(home);
  const authorization = `Bearer ${readFileSync(path.join(home.folder, 'state/token'), 'utf8').trim()}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const drain = (body: object) =>
    ask(daemon.address, '/api/v1/drain', { method: 'POST', headers, body: JSON.stringify(body) });
  expect(JSON.parse((await drain({ target: a.id })).text)).toEqual({ targets: [`web: ${a.id}`] });
  const web = addressOf(daemon, 'web');
  for (let i = 0; i < 4; i++) expect((await ask(web, '/')).text).toBe('b');
  expect(daemon.status().listeners[0]!.targets[0]).toMatchObject({ draining: true });
  await drain({ target: a.id, resume: true });
  const answers = new Set<string>();
  for (let i = 0; i < 4; i++) answers.add((await ask(web, '/')).text);
  expect(answers).toEqual(new Set(['a', 'b']));
  const unknown = await drain({ target: '127.0.0.1:1' });
  expect(unknown.status).toBe(404);
  expect(JSON.parse(unknown.text).detail).toContain(a.id);
  await Promise.all([a.close(), b.close()]);
});

test.runIf(needs('promtool accepts the metrics of a daemon at work', 'promtool'))(
  'promtool accepts the metrics of a daemon at work',
  async () => {
    const daemon = await start(
      house(`${balanced}
checks:
  web: { url: "tcp://127.0.0.1:1", interval: 50ms }
`),
    );
    const web = addressOf(daemon, 'web');
    for (let i = 0; i < 3; i++) await ask(web, '/');
    await eventually(() => daemon.status().checks[0]!.verdict === 'down');
    const { text } = await ask(daemon.address, '/metrics');
    expect(text).toContain('portreeve_connections_total{listener="web"} 3');
    expect(text).toContain('portreeve_connection_duration_seconds_count{listener="web"} 3');
    expect(text).toMatch(/portreeve_check_results_total\{check="web",verdict="down"\} \d+/);
    expect(text).toContain('portreeve_check_up{check="web"} 0');
    expect(text).toMatch(/portreeve_events_total\{kind="instance"\} \d+/);
    expect(text).toContain('portreeve_build_info{version="test"');
    const checked = spawnSync(program('promtool')!, ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(checked.stdout + checked.stderr).toBe('');
    expect(checked.status).toBe(0);
    // A check that is down is part of the daemon's health.
    expect((await ask(daemon.address, '/healthz')).status).toBe(503);
  },
);
