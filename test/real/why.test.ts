// Every way in which a bind fails (or is about to), produced for real and told apart.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { WhyRecord } from '../../src/core/records.ts';
import { why } from '../../src/ports/index.ts';
import type { System } from '../../src/system/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { endChild, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { rawSocket } from '../support/raw-socket.ts';
import { nobody, publicCopy, reeve, reeveJson } from '../support/reeve.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

async function listen(host: string, port = 0, options: { ipv6Only?: boolean } = {}): Promise<number> {
  const server: Server = createServer();
  open.push(server);
  server.listen({ host, port, ...options });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const ids = ({ causes }: WhyRecord) => causes.map(({ id }) => id);

describe.runIf(needs('why, produced for real', 'linux', 'ipv6'))('why', () => {
  let system: System;
  beforeAll(async () => {
    system = await selectSystem();
  });

  it('says free only after a bind and a listen that worked and an empty table', async () => {
    const port = await freePort();
    const record = await why(system, `127.0.0.1:${port}`);
    expect(record).toMatchObject({ endpoint: `tcp://127.0.0.1:${port}`, verdict: 'free', error: null });
    expect(record.causes.filter(({ id }) => id !== 'ephemeral-range')).toEqual([]);
  });

  it('names the process that holds it', async () => {
    const child = await startNode(
      `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
    );
    const record = await why(system, `127.0.0.1:${child.line}`);
    expect(record).toMatchObject({ verdict: 'held', error: { code: 'EADDRINUSE' } });
    expect(record.causes[0]).toMatchObject({ id: 'held', confidence: 'certain' });
    expect(record.causes[0]!.summary).toContain(`PID ${child.pid}`);
    expect(record.causes[0]!.remedies.map(({ command }) => command)).toContain(`reeve free ${child.line}`);
  });

  it('tells a wildcard that covers a specific address', async () => {
    const port = await listen('0.0.0.0');
    const record = await why(system, `127.0.0.1:${port}`);
    expect(record.verdict).toBe('held');
    expect(ids(record)).toEqual(['wildcard-overlap']);
    expect(record.causes[0]!.summary).toContain('covers every address');
  });

  it('tells a specific address that a wildcard would cover', async () => {
    const port = await listen('127.0.0.1');
    const record = await why(system, `0.0.0.0:${port}`);
    expect(record.verdict).toBe('held');
    expect(ids(record)).toEqual(['wildcard-overlap']);
  });

  it.each([
    ['::', '0.0.0.0'],
    ['0.0.0.0', '[::]'],
    ['127.0.0.1', '[::]'],
  ])('tells that %s and %s collide by dual stack', async (held, asked) => {
    const port = await listen(held);
    const record = await why(system, `${asked}:${port}`);
    expect(record.verdict).toBe('held');
    expect(ids(record)).toEqual(['dual-stack-overlap']);
    expect(record.causes[0]!.remedies.some(({ title }) => title.includes('IPV6_V6ONLY'))).toBe(true);
  });

  it('finds the two families free side by side with IPV6_V6ONLY', async () => {
    const v6 = await listen('::', 0, { ipv6Only: true });
    expect((await why(system, `0.0.0.0:${v6}`)).verdict).toBe('free');
    const v4 = await listen('0.0.0.0');
    expect((await why(system, `[::]:${v4}`, { v6only: true })).verdict).toBe('free');
    expect((await why(system, `[::]:${v4}`)).verdict).toBe('held');
  });

  it.each([true, false])(
    'finds a socket that is bound and never listens (SO_REUSEADDR %s)',
    async (reuse) => {
      const raw = rawSocket('127.0.0.1', { reuse });
      open.push(raw);
      const record = await why(system, `127.0.0.1:${raw.port}`);
      expect(record.verdict).toBe('held');
      expect(ids(record)).toEqual(['bound-not-listening']);
      expect(record.causes[0]!.evidence.join()).toContain(`PID ${process.pid}`);
      // With SO_REUSEADDR on both sides the bind itself works: only the table tells.
      expect(record.error).toEqual(reuse ? null : { code: 'EADDRINUSE', syscall: 'bind' });
    },
  );

  it('blames TIME_WAIT only where SO_REUSEADDR is not set', async () => {
    const port = await leaveTimeWait();
    const without = await why(system, `127.0.0.1:${port}`, { reuse: false });
    expect(without.verdict).toBe('held');
    expect(ids(without)).toEqual(['time-wait']);
    expect(without.causes[0]).toMatchObject({ confidence: 'certain' });
    const withReuse = await why(system, `127.0.0.1:${port}`);
    expect(withReuse.verdict).toBe('free');
    expect(withReuse.causes.find(({ id }) => id === 'time-wait')).toMatchObject({ confidence: 'possible' });
  });

  it('finds a connection of this machine that uses the port as its source', async () => {
    const server = createServer((socket) => open.push({ close: () => socket.destroy() }));
    open.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    open.push({ close: () => client.destroy() });
    await once(client, 'connect');
    const record = await why(system, `127.0.0.1:${client.localPort}`);
    expect(record.verdict).toBe('held');
    // On a busy machine the port may be in TIME_WAIT as well, from an earlier connection to elsewhere.
    expect(ids(record)[0]).toBe('connected-source-port');
    expect(record.causes[0]!.evidence.join()).toContain(`PID ${process.pid}`);
  });

  it('says that an address is not on this machine, and which are', async () => {
    // TEST-NET-3 (RFC 5737): no machine has it.
    const record = await why(system, '203.0.113.7:8080');
    expect(record).toMatchObject({ verdict: 'refused', error: { code: 'EADDRNOTAVAIL' } });
    expect(ids(record)).toEqual(['no-such-address']);
    expect(record.causes[0]!.evidence.join()).toContain('127.0.0.1');
  });

  it('explains a port that cannot be one, and a name that does not resolve', async () => {
    for (const target of ['70000', '0', 'no-such-host.invalid:80']) {
      const record = await why(system, target);
      expect([target, record.verdict, ids(record)]).toEqual([target, 'refused', ['invalid-argument']]);
    }
    await expect(why(system, 'eighty')).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('8080'),
    });
  });

  it('explains a link-local address without its interface', async () => {
    const record = await why(system, '[fe80::1]:8080');
    expect(['invalid-argument', 'no-such-address']).toContain(ids(record)[0]);
    expect(record.verdict).toBe('refused');
  });

  it('warns of a port in the ephemeral range, with the setting that keeps it', async () => {
    const port = await freePort();
    const record = await why(system, String(port));
    expect(record.verdict).toBe('free');
    expect(ids(record)).toEqual(['ephemeral-range']);
    expect(record.causes[0]!.remedies[0]!.command).toContain(`ip_local_reserved_ports=${port}`);
  });

  it('tells a UDP holder, and one that shares by SO_REUSEADDR', async () => {
    const alone = rawSocket('127.0.0.1', { protocol: 'udp' });
    const sharing = rawSocket('127.0.0.1', { protocol: 'udp', reuse: true });
    open.push(alone, sharing);
    expect(ids(await why(system, `udp:127.0.0.1:${alone.port}`))).toEqual(['held']);
    expect(ids(await why(system, `udp:127.0.0.1:${sharing.port}`, { reuse: true }))).toEqual([
      'reuse-mismatch',
    ]);
  });

  it('is answered by the library, the command line and its exit codes alike', async () => {
    const port = await listen('127.0.0.1');
    const record = await reeveJson<WhyRecord>(['why', `127.0.0.1:${port}`]);
    expect(record.causes[0]).toMatchObject({ id: 'held' });
    expect((await reeve(['why', `127.0.0.1:${port}`])).code).toBe(1);
    expect((await reeve(['why', `127.0.0.1:${await freePort()}`])).code).toBe(0);
    expect((await reeve(['why', 'eighty'])).code).toBe(2);
  });
});

describe.runIf(needs('why without privilege', 'linux', 'root'))('why, asked by another user', () => {
  it('explains a privileged port with the threshold of this machine', async () => {
    using copy = publicCopy();
    const options = { file: copy.file, cwd: copy.folder, ...nobody };
    const { unprivilegedFrom } = await (await selectSystem()).host.facts();
    const record = await reeveJson<WhyRecord>(['why', '127.0.0.1:80'], options);
    expect(record).toMatchObject({ verdict: 'refused', error: { code: 'EACCES', syscall: 'bind' } });
    expect(ids(record)).toEqual(['privileged']);
    const commands = record.causes[0]!.remedies.map(({ title, command }) => `${title} ${command ?? ''}`).join(
      '\n',
    );
    expect(record.causes[0]!.summary).toContain(`below ${unprivilegedFrom}`);
    for (const word of ['setcap', 'ip_unprivileged_port_start', 'REDIRECT', 'reverse proxy'])
      expect(commands).toContain(word);
  });

  it("says that another user's holder is hidden, and never that the port is free", async () => {
    using copy = publicCopy();
    const port = await listen('127.0.0.1');
    const options = { file: copy.file, cwd: copy.folder, ...nobody };
    const record = await reeveJson<WhyRecord>(['why', `127.0.0.1:${port}`], options);
    expect(record.verdict).toBe('held');
    expect(ids(record)).toEqual(['held-hidden']);
    expect(record.causes[0]!.remedies[0]!.command).toBe(`sudo reeve who ${port}`);
    const who = await reeve(['who', String(port)], options);
    expect(who.code).toBe(4);
    expect(who.stdout).toContain('hidden');
  });
});

describe.runIf(needs('why with IPv6 switched off', 'linux', 'root', 'ip'))('why, without IPv6', () => {
  it('says that the family is not available, and serves a bare port by IPv4', async () => {
    const script = `echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6; ip link set lo up; exec "$@"`;
    const prefix = ['unshare', '-n', 'sh', '-c', script, 'sh'];
    const record = await runIn<WhyRecord>(prefix, ['why', '[::1]:8080']);
    expect(record.verdict).toBe('refused');
    expect(ids(record)).toEqual(['family-unavailable']);
    const bare = await runIn<WhyRecord>(prefix, ['why', '8080']);
    expect(bare).toMatchObject({ endpoint: 'tcp://0.0.0.0:8080', verdict: 'free' });
  });
});

describe.runIf(needs('why without descriptors', 'linux'))('why, with no descriptor left', () => {
  it('blames the limit, and does not know about the port', async () => {
    const prefix = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'];
    // The process fills its own table, then asks.
    const child = await startNode(
      `const fs = require('fs');
       import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}).then(async ({ why }) => {
         await why(1);
         const kept = [];
         try { for (;;) kept.push(fs.openSync('/dev/null')); } catch {}
         const record = await why('127.0.0.1:8080');
         kept.forEach((fd) => fs.closeSync(fd));
         console.log(JSON.stringify(record));
       }).catch((error) => { console.log(JSON.stringify({ error: String(error) })); });`,
      { prefix },
    );
    const record = JSON.parse(child.line) as WhyRecord;
    await endChild(child);
    expect(record).toMatchObject({ verdict: 'unknown', error: { code: 'EMFILE', syscall: 'socket' } });
    expect(ids(record)).toEqual(['no-descriptors']);
    expect(record.causes[0]!.remedies[0]!.command).toContain('ulimit -n');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The side that closes first keeps the TIME_WAIT: here the server's, so that its port is the one that waits. */
async function leaveTimeWait(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  accepted.end();
  client.resume();
  accepted.resume();
  await Promise.all([once(client, 'close'), once(accepted, 'close')]);
  server.close();
  await once(server, 'close');
  return port;
}

async function runIn<T>([file, ...before]: string[], args: string[]): Promise<T> {
  const { spawnSync } = await import('node:child_process');
  const { reeveFile } = await import('../support/reeve.ts');
  const run = spawnSync(file!, [...before, process.execPath, reeveFile, '--json', ...args], {
    encoding: 'utf8',
  });
  if (!run.stdout) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as T;
}
