// The command line as a whole: help, exit codes, JSON as documented, colours, pipes.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkSchema, freeSchema, whoSchema, whySchema } from '../../src/core/records.ts';
import { startNode } from '../support/children.ts';
import { needs, program } from '../support/parts.ts';
import { reeve, reeveFile, reeveJson } from '../support/reeve.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}));
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

const commands = [
  'who',
  'why',
  'free',
  'lease',
  'leases',
  'release',
  'wait',
  'check',
  'scan',
  'doctor',
  'up',
  'status',
  'reload',
  'drain',
  'restart',
  'scale',
  'logs',
  'down',
  'events',
  'completion',
];

describe('help and usage', () => {
  it('shows every command, and every command has examples', async () => {
    const { code, stdout } = await reeve(['--help']);
    expect(code).toBe(0);
    for (const name of commands) expect(stdout).toContain(`  ${name} `);
    for (const name of commands) {
      const help = await reeve([name, '--help']);
      expect([name, help.code, help.stdout.includes('Examples:')]).toEqual([name, 0, true]);
    }
  });

  it('prints the version of the package', async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
    expect(await reeve(['--version'])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  });

  it.each([
    [['bogus'], 'unknown command'],
    [['who', '--bogus'], 'unknown option'],
    [['why'], 'missing required argument'],
    [['free', '3000', '--timeout', 'soon'], 'not a duration'],
    [['wait', '3000', '--successes', '0'], 'whole number from 1'],
    [['check', 'gopher://x'], 'tcp://'],
    [['completion', 'tcsh'], 'bash, zsh, fish, powershell'],
    [['scan', 'localhost', '--method', 'fin'], 'connect, syn, udp'],
    [['up', '--log-level', 'loud'], 'debug, info, warn, error'],
  ])('reeve %j is wrong usage: exit code 2, on stderr', async (args, words) => {
    const { code, stdout, stderr } = await reeve(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });
});

describe('output', () => {
  it.runIf(needs('JSON of who, why and free', 'linux'))('prints JSON as documented', async () => {
    const port = String(await listen());
    whoSchema.parse(await reeveJson(['who']));
    expect(whoSchema.parse(await reeveJson(['who', port])).sockets).toHaveLength(1);
    expect(whySchema.parse(await reeveJson(['why', port])).verdict).toBe('held');
    // The listener is this test's own process, the parent of that reeve.
    expect(freeSchema.parse(await reeveJson(['free', port, '--yes'])).results[0]!.outcome).toBe('refused');
    expect(checkSchema.parse(await reeveJson(['check', port])).results[0]!.verdict).toBe('up');
  });

  it('has no colour in a pipe, and has it when it is asked for', async () => {
    const env = { ...process.env, NO_COLOR: '', FORCE_COLOR: '' };
    const plain = await reeve(['doctor'], { env });
    expect(plain.stdout).not.toContain('\u001b');
    const forced = await reeve(['doctor'], { env: { ...env, FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain('\u001b[');
    const refused = await reeve(['doctor', '--no-color'], { env: { ...env, FORCE_COLOR: '1' } });
    expect(refused.stdout).not.toContain('\u001b');
  });

  it('ends quietly when its reader has gone', () => {
    const command = `"${process.execPath}" "${reeveFile}" who --json | true; "${process.execPath}" "${reeveFile}" --help | head -1`;
    const { stderr, status } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect([stderr, status]).toEqual(['', 0]);
  });

  it.runIf(needs('output to a full disk', 'linux'))('says that its output cannot be written', () => {
    for (const args of ['who --json', '--help']) {
      const run = spawnSync('sh', ['-c', `"${process.execPath}" "${reeveFile}" ${args} > /dev/full`], {
        encoding: 'utf8',
      });
      expect(run.stderr).toMatch(/^reeve: the output cannot be written: ENOSPC[^\n]*\n$/);
      expect(run.status).toBe(1);
    }
  });

  it.runIf(needs('aligned columns in a terminal', 'script', 'linux'))('fits the terminal', async () => {
    await startNode(
      `require('net').createServer().listen(0, '127.0.0.1', () => console.log('${'x'.repeat(300)}'.length)); // ${'long '.repeat(60)}`,
    );
    const command = `stty cols 80; "${process.execPath}" "${reeveFile}" who --no-color`;
    const { stdout } = spawnSync(program('script')!, ['-qec', command, '/dev/null'], { encoding: 'utf8' });
    const lines = stdout.split(/\r?\n/);
    expect(lines.some((line) => line.includes('ADDRESS'))).toBe(true);
    for (const line of lines.filter((each) => /^(tcp|udp|PROTO)/.test(each)))
      expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('check and wait', () => {
  it('answers with exit codes: 0 up, 1 down', async () => {
    const port = await listen();
    expect((await reeve(['check', `tcp://127.0.0.1:${port}`])).code).toBe(0);
    expect((await reeve(['check', String(port)])).code).toBe(0);
    const quiet = await reeve(['check', '-q', `127.0.0.1:${port}`]);
    expect([quiet.code, quiet.stdout]).toEqual([0, '']);
    for (const server of servers.splice(0)) server.close();
    expect(await reeve(['check', String(port)])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('refused'),
    });
  });

  it('waits for what comes later, and with --free for what goes', async () => {
    const port = await listen();
    for (const server of servers.splice(0)) server.close();
    const waiting = reeve(['wait', `tcp://127.0.0.1:${port}`, '--interval', '20ms', '--successes', '2']);
    const server = createServer((socket) => socket.on('error', () => {}));
    servers.push(server);
    server.listen(port, '127.0.0.1');
    expect((await waiting).code).toBe(0);
    if (!needs('wait --free', 'linux')) return;
    const free = reeve(['wait', '--free', `127.0.0.1:${port}`, '--interval', '20ms']);
    server.close();
    expect((await free).code).toBe(0);
  });

  it('times out with exit code 5 and the last reason', async () => {
    const port = await listen();
    const timedOut = await reeve(['wait', '--free', `127.0.0.1:${port}`, '--timeout', '100ms']);
    expect(timedOut).toMatchObject({ code: 5, stdout: expect.stringContaining('not there after 100ms') });
    for (const server of servers.splice(0)) server.close();
    expect((await reeve(['wait', `127.0.0.1:${port}`, '--timeout', '100ms'])).code).toBe(5);
  });
});
