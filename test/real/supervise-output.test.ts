// What instances print: kept as bytes, rotated, followed, and never more than the daemon can bear.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type LogLine, type LogQuery, readLogs } from '../../src/daemon/index.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { serviceConfig, supervised } from './supervise-support.ts';

const rotate = { size: 10_000_000, keep: 5 };

/** A folder with a configuration whose state is in it, and the folder of its logs. */
function home() {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-output-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const configFile = path.join(folder, 'reeve.yaml');
  writeFileSync(configFile, 'state: ./state\n');
  return { configFile, logs: path.join(folder, 'state', 'logs') };
}

const script = (text: string) => [process.execPath, '-e', text];
const query = (configFile: string, more: Partial<LogQuery> = {}): LogQuery => ({
  ...{ configFile, env: process.env, service: 'api', lines: 100, follow: false },
  ...more,
});

async function all(lines: AsyncGenerator<LogLine>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of lines) texts.push(text);
  return texts;
}

test('bytes are kept as they came, both streams in whole lines, and escapes only stripped from what is logged', async () => {
  const { logs } = home();
  const command = script(
    `process.stdout.write(Buffer.from([0xff, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x41, 0x0a]));
     process.stdout.write('half a '); process.stderr.write('error\\n'); process.stdout.write('line\\n');
     process.stdout.write('no end')`,
  );
  const run = supervised(serviceConfig([], { command, oneshot: true, ports: {} }), { logs });
  await run.until('it is done', ([one]) => one!.state === 'finished');
  await run.service.stop();
  const kept = readFileSync(path.join(logs, 'api.0.log'));
  expect(kept.subarray(0, 9)).toEqual(Buffer.from([0xff, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x41, 0x0a]));
  expect(kept.subarray(9).toString().split('\n').sort()).toEqual(['', 'error', 'half a line', 'no end']);
  expect(run.lines.map((line) => line.replace(/^api\/0: /, '')).sort()).toEqual([
    'error',
    'half a line',
    'no end',
    '\ufffd A',
  ]);
  expect(statSync(path.join(logs, 'api.0.log')).mode & 0o007).toBe(0);
});

test('a program that prints in a code page is kept and logged in UTF-8, its half line at the end too', async () => {
  const { logs } = home();
  // "Größe" in 850, cut within the line, a line in UTF-8, and "ü" without an end.
  const command = script(
    `process.stdout.write(Buffer.from([0x47, 0x72, 0x94]));
     setTimeout(() => process.stdout.write(Buffer.from([0xe1, 0x65, 0x0a])), 50);
     setTimeout(() => process.stdout.write(Buffer.concat([Buffer.from('größer\\n'), Buffer.from([0x81])])), 100)`,
  );
  const config = { command, oneshot: true, ports: {}, logs: { encoding: 'cp850', echo: true, rotate } };
  const run = supervised(serviceConfig([], config), { logs });
  await run.until('it is done', ([one]) => one!.state === 'finished');
  await run.service.stop();
  expect(readFileSync(path.join(logs, 'api.0.log'), 'utf8')).toBe('Größe\ngrößer\nü\n');
  expect(run.lines.map((line) => line.replace(/^api\/0: /, ''))).toEqual(['Größe', 'größer', 'ü']);
});

test('files are rotated by size, never within a line, and only so many stay; the last lines go back over them', async () => {
  const { logs, configFile } = home();
  const command = script("for (let i = 0; i < 1000; i++) console.log('line ' + i)");
  const config = serviceConfig([], {
    ...{ command, oneshot: true, ports: {} },
    logs: { encoding: 'auto', echo: false, rotate: { size: 1000, keep: 3 } },
  });
  const run = supervised(config, { logs });
  await run.until('it is done', ([one]) => one!.state === 'finished');
  await run.service.stop();
  expect(readdirSync(logs).sort()).toEqual(['api.0.log', 'api.0.log.1', 'api.0.log.2', 'api.0.log.3']);
  for (const name of readdirSync(logs)) {
    expect(statSync(path.join(logs, name)).size).toBeLessThanOrEqual(1000);
    expect(readFileSync(path.join(logs, name), 'utf8')).toMatch(/^(line \d+\n)+$/);
  }
  expect(run.lines).toEqual([]);
  const expected = Array.from({ length: 250 }, (_, i) => `line ${750 + i}`);
  expect(await all(readLogs(query(configFile, { lines: 250 }), new AbortController().signal))).toEqual(
    expected,
  );
  expect(await all(readLogs(query(configFile, { lines: 3 }), new AbortController().signal))).toEqual(
    expected.slice(-3),
  );
});

test('followed, nothing is missed over a rotation, and the instances that come later are read as well', async () => {
  const { logs, configFile } = home();
  const command = script(
    'let i = 0; setInterval(() => { for (let n = 0; n < 10; n++) console.log(process.env.PORT, i++); }, 20)',
  );
  const options = {
    command,
    verify: false,
    logs: { encoding: 'auto', echo: false, rotate: { size: 4000, keep: 9 } },
  };
  const run = supervised(serviceConfig([], options), { logs });
  const stop = new AbortController();
  const seen = new Map<string, number[]>();
  await run.until('it has a port', ([one]) => one!.ports.http !== undefined);
  await eventually(() => existsSync(path.join(logs, 'api.0.log')));
  for await (const { instance, text } of readLogs(
    query(configFile, { follow: true, lines: 0 }),
    stop.signal,
  )) {
    const numbers = seen.get(instance) ?? [];
    seen.set(instance, [...numbers, Number(text.split(' ')[1])]);
    if (numbers.length === 100 && instance === 'api/0') {
      void run.service.update(serviceConfig([], { ...options, instances: 2 }));
    }
    if ([...seen.values()].filter((one) => one.length > 1500).length === 2) stop.abort();
  }
  for (const numbers of seen.values()) {
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
  }
  expect(seen.get('api/1')![0]).toBe(0);
  expect(readdirSync(logs).length).toBeGreaterThan(4);
}, 60_000);

test('what is not kept is told, with what is', async () => {
  const { configFile } = home();
  const none = readLogs(query(configFile, { service: 'nobody' }), new AbortController().signal);
  await expect(none.next()).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(
      /^no output of 'nobody' is kept in .+logs: no service has printed anything yet$/,
    ),
  });
});

test('a program that prints without end is held back, and the daemon goes on', async () => {
  const { logs } = home();
  const run = supervised(
    serviceConfig(['spew'], {
      verify: false,
      logs: { encoding: 'auto', echo: true, rotate: { size: 1_000_000, keep: 2 } },
    }),
    { logs },
  );
  await run.until('it runs', ([one]) => one!.pid !== null);
  const began = performance.now();
  const before = process.memoryUsage.rss();
  let turns = 0;
  while (performance.now() - began < 3000) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    turns += 1;
  }
  expect(turns, 'the event loop was free').toBeGreaterThan(100);
  expect(process.memoryUsage.rss() - before).toBeLessThan(150 * 1024 * 1024);
  expect(run.lines.length).toBeLessThan(1000 + 200 * 5);
  const kept = readdirSync(logs).reduce((sum, name) => sum + statSync(path.join(logs, name)).size, 0);
  expect(kept).toBeLessThanOrEqual(3 * 1_000_000 + 100);
  await run.service.stop();
}, 30_000);

test('the limit of open files holds from the first instruction on', async () => {
  const command = ['/bin/sh', '-c', 'ulimit -n; ulimit -Hn; echo "$0 $1"', 'a b', '*'];
  const config = serviceConfig([], { command, oneshot: true, ports: {}, limits: { files: 321 } });
  const run = supervised(config);
  await run.until('it is done', ([one]) => one!.state === 'finished');
  await run.service.stop();
  expect(run.lines).toEqual(['api/0: 321', 'api/0: 321', 'api/0: a b *']);
});

test('the limit of memory and the priority hold as well', async () => {
  const command = ['/bin/sh', '-c', 'ulimit -d; nice'];
  const limits = { files: 321, memory: 100 * 1024 * 1024, nice: 7 };
  const run = supervised(serviceConfig([], { command, oneshot: true, ports: {}, limits }));
  await run.until('it is done', ([one]) => one!.state === 'finished');
  await run.service.stop();
  expect(run.lines).toEqual(['api/0: 102400', `api/0: ${getPriority() + 7}`]);
});

test.runIf(needs('limits that only root may have', 'root', 'linux')).each([
  [{ files: 1_048_576 }, 'files 1048576', /ulimit/],
  [{ nice: -5 }, 'nice -5', /nice/],
])('a limit that cannot be had is told as such: %o', async (limits, wanted, words) => {
  const command = script('');
  const run = supervised(serviceConfig([], { command, oneshot: true, ports: {}, limits, user: 'nobody' }));
  await run.until('it was tried again', ([one]) => one!.restarts >= 1);
  const { history } = run.first();
  expect(history[0]!.reason).toBe('could-not-start');
  expect(history[0]!.detail).toMatch(words);
  expect(history[0]!.detail).toContain(`could not start: cannot set limits (${wanted}) as user 65534: `);
});

test('a service that has printed nothing yet can be followed', async () => {
  const { logs, configFile } = home();
  const go = path.join(path.dirname(configFile), 'go');
  const command = script(
    `setInterval(() => require('fs').existsSync(${JSON.stringify(go)}) && console.log('at last'), 20)`,
  );
  supervised(serviceConfig([], { command, verify: false }), { logs });
  await eventually(() => existsSync(path.join(logs, 'api.0.log')));
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const first = readLogs(query(configFile, { follow: true }), stop.signal).next();
  writeFileSync(go, '');
  expect((await first).value).toEqual({ instance: 'api/0', text: 'at last' });
});

test.runIf(needs('a service as another user', 'root', 'linux'))(
  'root may run a service as another user, with that user’s name and home',
  async () => {
    const command = ['/bin/sh', '-c', 'id -u; id -G; echo "$USER $HOME"'];
    const run = supervised(
      serviceConfig([], { command, oneshot: true, ports: {}, user: 'nobody', cwd: '/' }),
    );
    await run.until('it is done', ([one]) => one!.state === 'finished');
    await run.service.stop();
    expect(run.lines.slice(0, 2)).toEqual(['api/0: 65534', 'api/0: 65534']);
    expect(run.lines[2]).toMatch(/^api\/0: nobody \/\S+$/);
  },
);

test.runIf(needs('an unknown user', 'root'))('a user that does not exist is told', async () => {
  const run = supervised(
    serviceConfig([], { user: 'nobody-here', logs: { encoding: 'auto', echo: true, rotate } }),
  );
  await run.until('it failed', ([one]) => one!.state === 'backoff');
  expect(run.first().lastExit).toBe("could not start: there is no user 'nobody-here' on this machine");
});
