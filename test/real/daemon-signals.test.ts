// `reeve up` as a process: signals, exit codes, and what it prints.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { selectSystem } from '../../src/system/select.ts';
import { eventually } from '../support/children.ts';
import { heldRequest, listenerAt, up } from './daemon-process.ts';
import { appService, ask, house } from './daemon-support.ts';

const one = `
services: ${appService.replace('instances: 2', 'instances: 1')}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
  intake: { bind: ["127.0.0.1:0"], sink: lines }
sinks:
  lines: { file: lines.jsonl }
`;

test('the summary tells what listens where, and the hints work', async () => {
  const home = house(one);
  const reeve = await up(home);
  const status = await reeve.status();
  const web = listenerAt(status, 'web');
  expect(reeve.stdout).toContain(`web     ${web}`);
  expect(reeve.stdout).toContain(`curl http://${web}/`);
  expect(reeve.stdout).toContain(`nc -N 127.0.0.1 ${listenerAt(status, 'intake').split(':')[1]}`);
  expect((await ask(web, '/')).text).toBe(String(status.services[0]!.instances[0]!.pid));
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets the request under way end, and exits with 0',
  async (name) => {
    const home = house(one);
    const reeve = await up(home);
    const status = await reeve.status();
    const web = listenerAt(status, 'web');
    const held = await heldRequest(web);
    const intake = connect(Number(listenerAt(status, 'intake').split(':')[1]), '127.0.0.1');
    intake.write('a line\n');
    await eventually(async () => (await reeve.status()).listeners[1]!.bytes.received === 7);
    reeve.child.kill(name);
    await eventually(async () => (await ask(reeve.control, '/readyz')).status === 503);
    await eventually(() =>
      ask(web, '/').then(
        () => false,
        ({ code }) => code === 'ECONNREFUSED',
      ),
    );
    expect(reeve.child.exitCode).toBe(null);
    intake.end('and another\n');
    await ask(`127.0.0.1:${status.services[0]!.instances[0]!.ports.http}`, '/release');
    expect(await reeve.ended).toBe(0);
    expect(held.text).toContain('and ended');
    expect(readFileSync(path.join(home.folder, 'lines.jsonl'), 'utf8')).toMatch(/a line[\s\S]*and another/);
    const ends = reeve.stderr
      .split('\n')
      .filter((line) => line.includes('"disconnect"'))
      .map((line) => JSON.parse(line));
    expect(ends).toContainEqual(
      expect.objectContaining({
        level: 'info',
        listener: 'web',
        client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        target: `127.0.0.1:${status.services[0]!.instances[0]!.ports.http}`,
        reason: 'done',
        received: expect.any(Number),
        sent: expect.any(Number),
        ms: expect.any(Number),
      }),
    );
  },
);

test('a second signal ends it at once, and its services with it', async () => {
  const reeve = await up(house(one));
  const status = await reeve.status();
  await heldRequest(listenerAt(status, 'web'));
  reeve.child.kill('SIGTERM');
  await eventually(async () => (await ask(reeve.control, '/readyz')).status === 503);
  reeve.child.kill('SIGTERM');
  expect(await reeve.ended).toBe(1);
  const { processes } = await selectSystem();
  await eventually(async () => !(await processes.facts(status.services[0]!.instances[0]!.pid!)));
});

test('with a drain delay it goes on accepting while readiness fails', async () => {
  const reeve = await up(house(one), [], { REEVE_DRAIN_DELAY: '1h' });
  const web = listenerAt(await reeve.status(), 'web');
  reeve.child.kill('SIGTERM');
  await eventually(async () => (await ask(reeve.control, '/readyz')).status === 503);
  expect((await ask(web, '/')).status).toBe(200);
});

test('of many that start at once on a stale lock, one gets it', async () => {
  const home = house('');
  const first = await up(home);
  first.child.kill('SIGKILL');
  await first.ended;
  const all = await Promise.all(Array.from({ length: 5 }, () => up(home)));
  const ready = all.filter(({ stdout }) => stdout.includes('is ready'));
  expect(ready).toHaveLength(1);
  for (const each of all) {
    if (each === ready[0]) continue;
    expect(await each.ended).toBe(1);
    expect(each.stderr).toContain(`PID ${ready[0]!.child.pid}`);
  }
});

test('SIGHUP reloads; a wrong file is only complained about', async () => {
  const home = house(one);
  const reeve = await up(home);
  home.write(`${one}\nchecks:\n  new: { url: "tcp://127.0.0.1:1" }`);
  reeve.child.kill('SIGHUP');
  await eventually(async () => (await reeve.status()).checks.length === 1);
  home.write('nonsense: true');
  reeve.child.kill('SIGHUP');
  await eventually(() => reeve.stderr.includes('reload refused'));
  expect((await reeve.status()).listeners).toHaveLength(2);
});

test('a wrong configuration ends the start with 2, an address that is held with 1', async () => {
  const wrong = await up(house('\nlisteners:\n  web: { bnid: [] }'));
  expect(await wrong.ended).toBe(2);
  expect(wrong.stderr).toMatch(/reeve\.yaml:\d+:\d+/);
  const first = await up(house(one));
  const web = listenerAt(await first.status(), 'web');
  const second = await up(house(one.replace('"127.0.0.1:0"', `"${web}"`)));
  expect(await second.ended).toBe(1);
  expect(second.stderr).toContain(`PID ${first.child.pid}`);
});

test('killed together with its keeper, it starts again on the same state and ends what was left', async () => {
  const home = house(one);
  const first = await up(home);
  const { pid } = (await first.status()).services[0]!.instances[0]!;
  const { processes } = await selectSystem();
  const keepers = [];
  for (const node of await processes.list()) {
    if (node.parent !== first.child.pid) continue;
    const { command } = (await processes.facts(node.pid))!;
    if (command.some((word) => word.endsWith('keeper.js'))) keepers.push(node);
  }
  expect(keepers).toHaveLength(1);
  // Stopped first, so that it cannot end the instances before it is killed itself.
  for (const keeper of keepers) process.kill(keeper.pid, 'SIGSTOP');
  first.child.kill('SIGKILL');
  await first.ended;
  for (const keeper of keepers) await processes.signal(keeper, 'SIGKILL');
  expect(await processes.facts(pid!)).not.toBe(null);
  const second = await up(home);
  expect(await processes.facts(pid!)).toBe(null);
  const status = await second.status();
  expect(status.state).toBe('ready');
  expect((await ask(listenerAt(status, 'web'), '/')).text).not.toBe(String(pid));
});

test('connects are logged when asked for', async () => {
  const reeve = await up(house(one), ['--log-level', 'debug']);
  await ask(listenerAt(await reeve.status(), 'web'), '/');
  await eventually(() => /"level":"debug".*"msg":"connect"/.test(reeve.stderr));
});
