// reeve scan as a command: several hosts, JSON lines as they come, privilege, cancelling, banners.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { scanSchema } from '../../src/core/records.ts';
import { needs } from '../support/parts.ts';
import { nobody, publicCopy, reeve, reeveJson, startReeve } from '../support/reeve.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(host: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).end('220 ready\r\n'));
  servers.push(server);
  await once(server.listen(port, host), 'listening');
  return (server.address() as AddressInfo).port;
}

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => scanSchema.parse(JSON.parse(line)));

describe('reeve scan', () => {
  it('shows what ports say', async () => {
    const port = await listen('127.0.0.1');
    const { open } = scanSchema.parse(await reeveJson(['scan', '127.0.0.1', '-p', String(port), '--banner']));
    expect(open).toEqual([{ port, protocol: 'tcp', service: null, banner: '220 ready' }]);
    const { stdout } = await reeve(['scan', '127.0.0.1', '-p', String(port), '--banner']);
    expect(stdout).toMatch(/SAYS[\s\S]*220 ready[\s\S]*1 open, 0 closed/);
  });

  it('writes an object a line for several hosts, and reports those that it cannot scan', async () => {
    const port = await listen('127.0.0.1');
    const run = await reeve(['--json', 'scan', '127.0.0.1', 'no-such-host.invalid', '-p', String(port)]);
    expect(lines(run.stdout)).toMatchObject([{ host: '127.0.0.1', counts: { open: 1 } }]);
    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot scan 'no-such-host.invalid'"),
    });
  });

  it.runIf(needs('scan of a block on loopback', 'linux'))('scans a block, host by host', async () => {
    const port = await listen('127.0.0.2');
    const run = await reeve(['--json', 'scan', '127.0.0.0/29', '-p', String(port)]);
    const found = lines(run.stdout).map(({ host, counts }) => [host, counts.open]);
    expect(Object.fromEntries(found)).toEqual({
      ...Object.fromEntries([0, 1, 3, 4, 5, 6, 7].map((last) => [`127.0.0.${last}`, 0])),
      '127.0.0.2': 1,
    });
    expect(run.code).toBe(1);
    const { stdout } = await reeve(['scan', '127.0.0.0/29', '-p', String(port)]);
    expect(stdout).toContain('8 hosts scanned, 1 open port on 1 host');
    expect(stdout).toMatch(new RegExp(`^127\\.0\\.0\\.2 +${port} +open`, 'm'));
    const quiet = await reeve(['-q', 'scan', '127.0.0.0/29', '-p', String(port)]);
    expect(quiet.stdout.trim().split('\n')).toHaveLength(2);
  });

  it.runIf(needs('cancelled scan', 'linux'))('tells what it knows when it is interrupted', async () => {
    // Five probes a second for 512: the first hosts are done at once, and the whole would take a hundred seconds.
    const child = startReeve(['--json', 'scan', '127.0.0.0/24', '-p', '1,2', '--rate', '5/s']);
    const seen: string[] = [];
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = once(child, 'close');
    for await (const line of createInterface({ input: child.stdout! })) {
      if (seen.push(line) === 1) child.kill('SIGINT');
    }
    expect((await ended)[0]).toBe(130);
    expect(stderr).toContain('cancelled');
    const records = seen.flatMap(lines);
    expect(records.length).toBeLessThan(60);
    expect(records[0]!.counts).toEqual({ open: 0, closed: 2, filtered: 0 });
  });

  it.runIf(needs('SYN scan without privilege', 'linux', 'root'))(
    'needs root for SYN packets, and says what does not',
    async () => {
      using copy = publicCopy();
      const run = await reeve(['scan', '127.0.0.1', '-p', '80', '--method', 'syn'], {
        ...nobody,
        file: copy.file,
      });
      expect(run).toMatchObject({ code: 3, stdout: '' });
      expect(run.stderr).toMatch(/raw sockets need root[\s\S]*--method connect/);
      const connect = await reeve(['scan', '127.0.0.1', '-p', '1'], { ...nobody, file: copy.file });
      expect(connect.code).toBe(1);
    },
  );

  it.runIf(needs('SYN scan', 'linux', 'root'))('scans by SYN packets as root', async () => {
    const port = await listen('127.0.0.1');
    const record = await reeveJson(['scan', '127.0.0.1', '-p', String(port), '--method', 'syn']);
    expect(record).toMatchObject({
      method: 'syn',
      open: [{ port }],
      counts: { open: 1, closed: 0, filtered: 0 },
    });
  });

  it('asks the frequent ports', async () => {
    const record = scanSchema.parse(
      await reeveJson(['scan', '127.0.0.1', '--top', '100', '--exclude', 'http']),
    );
    const { open, closed, filtered } = record.counts;
    expect(open + closed + filtered).toBe(99);
  });

  it.each([
    [['--top', '7'], '100 or 1000'],
    [['--rate', 'fast'], 'not a rate'],
    [['-p', 'no-such-service'], 'no service'],
    [['-p', '80', '--exclude', '1-100'], 'no port is left'],
  ])('refuses %j', async (words, message) => {
    expect(await reeve(['scan', '127.0.0.1', ...words])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    });
  });

  it('refuses blocks that are too large', async () => {
    expect(await reeve(['scan', '10.0.0.0/8'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('at most 65536'),
    });
  });
});
