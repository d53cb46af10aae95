// examples/quickstart as a newcomer meets it: it starts, its hints work, it heals, it stops.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/index.ts';
import { eventually } from '../support/children.ts';
import { reeve, reeveJson, startReeve } from '../support/reeve.ts';
import { ask } from './daemon-support.ts';

const example = path.join(import.meta.dirname, '../../examples/quickstart');
let folder: string;
let file: string;
let control: string;

/** A copy, with a control port that is free here. All else is as it is: listeners go on to the next port. */
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reeve-quickstart-'));
  cpSync(example, folder, {
    recursive: true,
    filter: (source) => !/(state|data)$/.test(source),
  });
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  control = `127.0.0.1:${port}`;
  file = path.join(folder, 'reeve.yaml');
  const text = readFileSync(file, 'utf8');
  expect(text.match(/127\.0\.0\.1:7070/g)).toHaveLength(2);
  writeFileSync(file, text.replaceAll('127.0.0.1:7070', control));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('it does what its README says', async () => {
  const child = startReeve(['up', '-c', file]);
  let stdout = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  try {
    await eventually(() => stdout.includes('nc -N'), 30_000);
    const web = /curl http:\/\/(\S+)\//.exec(stdout)![1]!;
    const [, host, port] = /nc -N (\S+) (\d+)/.exec(stdout)!;
    const status = () => reeveJson<DaemonStatus>(['status', '-c', file]);
    await eventually(async () => {
      const { services } = await status();
      return services[0]!.instances.every(({ state }) => state === 'up');
    });

    const answers = new Set<string>();
    for (let i = 0; i < 4; i++) answers.add((await ask(web, '/')).text);
    expect(answers.size).toBe(2);
    expect([...answers][0]).toMatch(/^hello from port \d+, PID \d+\n$/);

    connect(Number(port), host!).end('hello\n');
    const events = path.join(folder, 'data/events.jsonl');
    await eventually(() => {
      try {
        return readFileSync(events, 'utf8').includes('"text":"hello"');
      } catch {
        return false;
      }
    });

    await eventually(async () => (await ask(control, '/healthz')).status === 200);
    // Its first look may have come before the daemon was ready.
    await eventually(async () => {
      const [check] = (await status()).checks;
      return check!.name === 'reeve' && check!.verdict === 'up';
    });
    const { services } = await status();
    process.kill(services[0]!.instances[0]!.pid!, 'SIGKILL');
    await eventually(async () => {
      const [first] = (await status()).services[0]!.instances;
      return first!.restarts === 1 && first!.state === 'up';
    });

    const gone = new Promise((resolve) => child.once('close', resolve));
    expect((await reeve(['down', '-c', file])).code).toBe(0);
    expect(await gone).toBe(0);
    expect((await reeve(['status', '-c', file])).code).toBe(1);
  } finally {
    // Two signals: it takes its services with it, and waits for nobody.
    for (const name of ['SIGTERM', 'SIGINT'] as const) child.kill(name);
    await eventually(() => child.exitCode !== null || child.signalCode !== null);
  }
});
