// A Windows service from its installation to its removal, under Wine's service control manager and without a wrapper.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { Wine } from '../support/wine.ts';

describe.runIf(needs('Windows services', 'wine', 'root', 'ip'))('under Wine', () => {
  const file = 'C:\\ProgramData\\portreeve\\reeve.yaml';
  let wine: Wine;
  let folder: string;
  beforeEach(async () => {
    wine = await Wine.create();
    folder = path.join(wine.prefix, 'drive_c', 'ProgramData', 'portreeve');
    mkdirSync(folder, { recursive: true });
    wine.giveServices();
  }, 60_000);
  afterEach(() => wine[Symbol.asyncDispose](), 60_000);

  async function run(...command: string[]): Promise<string> {
    const { line } = await wine.script(
      `const { status } = require('node:child_process').spawnSync(${JSON.stringify(command[0])}, ${JSON.stringify(command.slice(1))}, { stdio: 'ignore' }); console.log(status)`,
    );
    expect(line).toBe('0');
    return line;
  }
  const fetchText = async (url: string) => {
    const { line } = await wine.script(
      `fetch('${url}').then((r) => r.text()).then((text) => console.log(JSON.stringify(text)), () => console.log('"failed"'))`,
    );
    return JSON.parse(line) as string;
  };
  const service = async (...args: string[]) => {
    const done = await wine.reeve(['service', ...args]);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    return done.stdout;
  };
  const pidOf = async () => (await wine.json<{ pid: number | null }>(['service', 'status'])).pid;
  const logs = path.join('state', 'logs');
  const read = (file: string) => {
    const at = path.join(folder, file);
    return existsSync(at) ? readFileSync(at, 'utf8') : '';
  };

  it('is installed, started, asked, reloaded, stopped and removed', async () => {
    const config = (extra: string) =>
      writeFileSync(
        path.join(folder, 'reeve.yaml'),
        `control: { listen: "127.0.0.1:7070" }\nstate: ./state\nlisteners: {}\n${extra}`,
      );
    config('');
    expect(await service('install', '-c', file)).toContain(
      '✓ define the service portreeve as NT SERVICE\\portreeve',
    );
    // Again: nothing but what is so already, brought up to date.
    expect(await service('install', '-c', file)).toContain('= define the service portreeve');
    expect(await service('install', '-c', file, '--start', 'manual')).toContain('✓ define the service');
    expect((await wine.reeve(['service', 'status'])).code).toBe(1);
    await service('start');
    const first = await pidOf();
    expect(first).toBeGreaterThan(0);
    expect(await fetchText('http://127.0.0.1:7070/readyz')).toContain('ready');
    expect(read(path.join(logs, 'reeve.log'))).toContain('"ready, control API on 127.0.0.1:7070"');

    config('sinks: { out: { file: ./out.txt } }\n');
    await service('reload');
    await eventually(
      async () => (await fetchText('http://127.0.0.1:7070/api/v1/sinks')).includes('"out"'),
      20_000,
    );

    await service('stop');
    expect(await pidOf()).toBeNull();
    expect(read(path.join(logs, 'reeve.log'))).toContain('"stopped"');
    expect(await fetchText('http://127.0.0.1:7070/readyz')).toBe('failed');
    await service('uninstall');
    expect(await wine.json(['service', 'status'])).toMatchObject({ installed: false });
    expect(await service('uninstall')).toContain('= remove the service portreeve');
  }, 180_000);

  it('starts soundly after it was killed', async () => {
    writeFileSync(path.join(folder, 'reeve.yaml'), 'control: { listen: "127.0.0.1:7070" }\nstate: ./state\n');
    await service('install', '-c', file, '--now');
    await run('taskkill', '/F', '/PID', String(await pidOf()));
    expect(await fetchText('http://127.0.0.1:7070/readyz')).toBe('failed');
    // Wine 8 carries out no recovery actions: this is the command line that Windows would start again. Started by
    // somebody else it runs in the foreground.
    const again = wine.start(['service', 'run', '--name', 'portreeve', '-c', file]);
    await eventually(async () => (await fetchText('http://127.0.0.1:7070/readyz')).includes('ready'), 30_000);
    expect(await wine.reeve(['down', '-c', file])).toMatchObject({ code: 0 });
    expect(await again.exited).toBe(0);
  }, 120_000);

  it('makes any command a service', async () => {
    const server = path.join(wine.prefix, 'drive_c', 'server.js');
    writeFileSync(
      server,
      "require('node:http').createServer((_, r) => r.end('from the command')).listen(8123, '127.0.0.1');",
    );
    await service('install', '--name', 'web', '--now', '--', 'node', 'C:\\server.js');
    await eventually(async () => (await fetchText('http://127.0.0.1:8123/')) === 'from the command', 30_000);
    await service('uninstall', '--name', 'web');
    expect(await fetchText('http://127.0.0.1:8123/')).toBe('failed');
  }, 180_000);

  it('says why it did not start, and tells the manager so', async () => {
    writeFileSync(path.join(folder, 'reeve.yaml'), 'control: { listen: "127.0.0.1:7070" }\n');
    await service('install', '-c', file);
    writeFileSync(path.join(folder, 'reeve.yaml'), 'nonsense: 1\n');
    const { code, stderr } = await wine.reeve(['service', 'start']);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('it ended with 2') });
    expect(read(path.join(logs, 'reeve.log'))).toContain('nonsense');
  }, 120_000);
});
