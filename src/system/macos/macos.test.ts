// The System of macOS over a Mac made of bytes, and over the lsof of this machine.
import { describe, expect, it } from 'vitest';
import { startNode } from '../../../test/support/children.ts';
import { type MadeProcess, madeMac } from '../../../test/support/macos.ts';
import { needs, program } from '../../../test/support/parts.ts';
import { encodeAddress } from '../linux/bound.ts';
import { macNumbers } from './binder.ts';
import { byLsof, createMacosSystem } from './index.ts';
import { createSockets } from './sockets.ts';

const listener = { handle: 0x1an, local: [[0, 0, 0, 0], 8080] as [number[], number] };
const node: MadeProcess = {
  ...{ pid: 700, parent: 1, name: 'node', path: '/opt/homebrew/bin/node', cwd: '/Users/ann/shop' },
  ...{ command: ['node', 'server.js'], environment: ['REEVE_RUN=one'], sockets: [{ fd: 12, ...listener }] },
};
const worker: MadeProcess = { ...node, pid: 701, parent: 700, sockets: [{ fd: 9, ...listener }] };
const launchd: MadeProcess = {
  pid: 1,
  parent: 0,
  uid: 0,
  name: 'launchd',
  path: '/sbin/launchd',
  closed: true,
};
const long: MadeProcess = {
  ...{ pid: 800, parent: 1, name: 'com.example.long-name', path: '/Applications/com.example.long-name' },
};

describe('the System of macOS', () => {
  const create = (...processes: MadeProcess[]) =>
    createMacosSystem({
      calls: madeMac(processes, {
        'net.inet.ip.portrange.first': 49_152,
        'net.inet.ip.portrange.last': 65_535,
      }),
    });

  it('shows a shared listener once, with both that hold it, and says what it cannot see', async () => {
    const { sockets } = create(launchd, node, worker);
    const table = await sockets.table({ ports: [{ first: 8080, last: 8080 }] });
    expect(table).toMatchObject({
      source: 'libproc',
      rows: [{ id: '1a', address: '0.0.0.0', port: 8080, state: 'listen' }],
      blindSpots: [expect.stringContaining('TIME_WAIT'), expect.stringContaining('1 process of other users')],
    });
    const { pids, unreadable } = await sockets.holders(new Set(['1a', 'ff']));
    expect([...pids]).toEqual([['1a', [700, 701]]]);
    expect(unreadable).toBe(1);
  });

  it('keeps to what was asked for', async () => {
    const { sockets } = create(node);
    expect((await sockets.table({ protocols: ['udp'] })).rows).toEqual([]);
    expect((await sockets.table({ ports: [{ first: 1, last: 2 }] })).rows).toEqual([]);
    expect((await sockets.table({ listening: true })).rows).toHaveLength(1);
  });

  it('tells of processes, of other users only what the system lets', async () => {
    const { processes } = create(launchd, node, long);
    expect(await processes.facts(700)).toMatchObject({
      ...{ pid: 700, parent: 1, name: 'node', command: ['node', 'server.js'], cwd: '/Users/ann/shop' },
      ...{ uid: 501, start: '1700000000.000700' },
    });
    expect(await processes.facts(1)).toMatchObject({
      ...{ parent: null, name: 'launchd', command: ['/sbin/launchd'], cwd: null, user: 'root' },
    });
    expect(await processes.list()).toContainEqual(
      expect.objectContaining({ pid: 800, name: 'com.example.long-name' }),
    );
    expect(await processes.facts(4711)).toBeNull();
  });

  it('signals nobody where the PID belongs to another by now', async () => {
    const { processes } = create(node);
    expect(await processes.signal({ pid: 700, start: 'earlier' }, 'SIGTERM')).toBe('gone');
    await processes.exited({ pid: 700, start: 'earlier' }, AbortSignal.timeout(1000));
    for (const pid of [0, -1]) expect(await processes.identify(pid)).toBeNull();
  });

  it('finds what was started by its mark, and by its process group', async () => {
    const machine = [launchd];
    const { containment } = createMacosSystem({ calls: madeMac(machine) });
    const started = { ...node, pid: 900, parent: process.pid, environment: ['REEVE_RUN=two'] };
    containment.enclose('two', () => machine.push(started));
    // A child that hid its environment, and one whose group is its own.
    machine.push({ ...node, pid: 901, parent: 1, group: 900, environment: [] });
    machine.push({ ...node, pid: 902, parent: 1, group: 902, environment: [] });
    const found = async (mark: string) => (await containment.marked('REEVE_RUN', mark)).map(({ pid }) => pid);
    expect(await found('two')).toEqual([900, 901]);
    expect(await found('tw')).toEqual([]);
    // Another process has the leader's PID by now: its group is another one.
    machine.splice(1, 1, { ...node, pid: 900, parent: 1, start: [1_800_000_000, 0], environment: [] });
    expect(await found('two')).toEqual([]);
  });

  it('knows the ports of outgoing connections, and limits', async () => {
    expect(await create().host.facts()).toMatchObject({
      ephemeral: { first: 49_152, last: 65_535 },
      unprivilegedFrom: 1024,
      descriptors: { soft: 256, hard: null },
    });
  });

  it('refuses what it cannot do with words', async () => {
    const { binder, managers, scanner } = create();
    const refusal = expect.objectContaining({
      code: 'unsupported',
      message: expect.stringContaining('macOS'),
    });
    await expect(binder.park(8080)).rejects.toEqual(refusal);
    await expect(managers.stopUnit('a.service', AbortSignal.timeout(1000))).rejects.toEqual(refusal);
    await expect(managers.stopUnit('--now', AbortSignal.timeout(1000))).rejects.toMatchObject({
      code: 'usage',
    });
    expect(() => scanner.syn('127.0.0.1' as never)).toThrow(refusal);
  });

  it('writes addresses as BSD has them: length, then a family of one byte', () => {
    const { sockaddr } = encodeAddress('127.0.0.1', 8080, macNumbers);
    expect([...sockaddr]).toEqual([16, 2, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...encodeAddress('::1', 80, macNumbers).sockaddr.subarray(0, 4)]).toEqual([28, 30, 0, 80]);
  });

  it('asks lsof where sockets have another layout', async () => {
    const calls = { ...madeMac([node]), proc_pidfdinfo: () => 800 };
    const { sockets } = createMacosSystem({ calls, lsof: '/nowhere/lsof' });
    await expect(sockets.table()).rejects.toMatchObject({ message: expect.stringContaining('800 bytes') });
  });
});

describe.runIf(needs('the fallback of macOS over the real lsof', 'lsof'))('lsof', () => {
  it('shows a listener, its connection and who holds them', async () => {
    const child = await startNode(
      `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
    );
    const sockets = createSockets([byLsof(program('lsof')!)]);
    const port = Number(child.line);
    const { rows, source } = await sockets.table({ ports: [{ first: port, last: port }], listening: true });
    expect(source).toBe('lsof');
    expect(rows).toMatchObject([
      { protocol: 'tcp', address: '127.0.0.1', port, state: 'listen', remotePort: null },
    ]);
    const { pids } = await sockets.holders(new Set([rows[0]!.id!]));
    expect(pids.get(rows[0]!.id!)).toEqual([child.pid]);
  });
});
