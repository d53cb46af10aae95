// reeve restart, scale, logs and drain by name, as a user types them, against a running daemon and after its end.
import { expect, test } from 'vitest';
import { eventually } from '../support/children.ts';
import { reeve } from '../support/reeve.ts';
import { appService, house, start } from './daemon-support.ts';

const web = '\nlisteners:\n  web: { bind: ["127.0.0.1:0"], balance: { service: app } }\n';

test('a service is restarted, scaled, drained by instance, and its output read with and without the daemon', async () => {
  const service = appService.replace(
    'command: [',
    'command: ["/bin/sh", "-c", "echo I am $PORT; exec $0 $1", ',
  );
  const home = house(`services: ${service}${web}`);
  const daemon = await start(home);
  const run = (...args: string[]) => reeve([...args, '-c', home.file, '--no-color']);
  const instances = () => daemon.status().services[0]!.instances;

  expect(await run('restart', 'app/1')).toMatchObject({ code: 0, stdout: '✓ app/1 is up again\n' });
  expect(instances().map(({ restarts }) => restarts)).toEqual([0, 1]);

  expect(await run('events', '--since', 'noon')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("'noon'"),
  });
  const one = await run('status', 'app');
  expect(one.code).toBe(0);
  expect(one.stdout).toMatch(/^app\/1 +up .+ +1 +started again .+ ago: asked for$/m);
  expect(one.stdout).toMatch(
    /\nWhy app\/1 was started again\n\d{4}-\d\d-\d\d [\d:]+ {2}asked-for +asked for\n$/,
  );
  expect(JSON.parse((await run('status', 'app', '--json')).stdout)).toMatchObject({ name: 'app' });
  expect(await run('status', 'apo')).toMatchObject({
    code: 1,
    stderr: "reeve: there is no service 'apo': there are app\n",
  });

  const scaled = await run('scale', 'app=3');
  expect(scaled.stdout).toBe(
    '✓ app: 3 instances, was 2; until the configuration says another number than 2, or the daemon ends\n',
  );
  await eventually(() => instances().filter(({ state }) => state === 'up').length === 3);
  expect((await run('status')).stdout).toContain('app is scaled to 3; the configuration says 2');
  expect((await run('scale', 'app=many')).code).toBe(2);
  expect(await run('restart', 'nobody')).toMatchObject({ code: 1 });

  const target = `127.0.0.1:${instances()[0]!.ports.http}`;
  expect((await run('drain', 'app/0')).stdout).toBe(`draining: web: ${target}\n`);
  expect((await run('drain', `web/${target}`, '--resume')).stdout).toBe(`in balance again: web: ${target}\n`);

  const lines = instances().map(({ id, ports }) => `${id}  I am ${ports.http}`);
  expect((await run('logs', 'app', '-n', '1')).stdout.trim().split('\n')).toEqual(lines);
  await daemon.drainAndStop();
  // As long as real ones are.
  const nobody = ['--control', '127.0.0.1:1', '--token-file', home.file];
  expect(await reeve(['events', '--since', '1795328837250', ...nobody])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no daemon answers on 127.0.0.1:1'),
  });
  expect((await run('logs', 'app/1')).stdout).toBe(`${lines[1]!.slice(7)}\n`.repeat(2));
  expect(await run('logs', 'nobody')).toMatchObject({ code: 1, stdout: '' });
  expect((await run('logs', '../x')).code).toBe(2);
});
