// The socket table of Linux against real sockets of every kind, by both sources.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { SocketRow } from '../../src/system/index.ts';
import { createLinuxSystem } from '../../src/system/linux/index.ts';
import { endChild, eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { type RawSocket, rawSocket } from '../support/raw-socket.ts';

const overDiag = () => createLinuxSystem({ socketSource: 'sock_diag' }).sockets;
const overText = () => createLinuxSystem({ socketSource: 'procfs' }).sockets;
const at = (...ports: number[]) => ({ ports: ports.map((port) => ({ first: port, last: port })) });
/** The rows of these very sockets: other programs may have the same number under another address or protocol. */
const only = (rows: SocketRow[], sockets: RawSocket[]) =>
  rows.filter((row) =>
    sockets.some(
      ({ protocol, address, port }) =>
        row.protocol === protocol && row.address === address && row.port === port && row.remotePort === null,
    ),
  );
const by = (a: SocketRow, b: SocketRow) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

describe.runIf(needs('socket tables of Linux', 'linux', 'ipv6'))('the socket table', () => {
  it('shows what kind each socket is', async () => {
    using v4 = rawSocket('127.0.0.1', { listen: 7 });
    using dual = rawSocket('::', { v6only: false, listen: 1 });
    using only6 = rawSocket('::', { v6only: true, listen: 1 });
    using bound = rawSocket('127.0.0.1');
    using bound6 = rawSocket('::', { v6only: false });
    using udp = rawSocket('127.0.0.1', { protocol: 'udp' });
    using udp6 = rawSocket('::', { protocol: 'udp', v6only: true });
    const all = [v4, dual, only6, bound, bound6, udp, udp6];
    const table = await overDiag().table(at(...all.map(({ port }) => port)));
    const { source, blindSpots } = table;
    const rows = only(table.rows, all);
    expect(rows).toHaveLength(all.length);
    const seen = (socket: RawSocket) => only(rows, [socket])[0];
    expect(source).toBe('sock_diag');
    expect(blindSpots).toEqual([]);
    expect(seen(v4)).toMatchObject({
      family: 'ipv4',
      state: 'listen',
      v6only: null,
      receiveQueue: 0,
      sendQueue: 7,
    });
    expect(seen(dual)).toMatchObject({ family: 'ipv6', address: '::', state: 'listen', v6only: false });
    expect(seen(only6)).toMatchObject({ family: 'ipv6', address: '::', state: 'listen', v6only: true });
    expect(seen(bound)).toMatchObject({ state: 'bound', address: '127.0.0.1', remotePort: null });
    expect(seen(bound6)).toMatchObject({ state: 'bound', v6only: false });
    expect(seen(udp)).toMatchObject({ state: 'unconnected', family: 'ipv4' });
    expect(seen(udp6)).toMatchObject({ state: 'unconnected', v6only: true });
    expect(rows.every((row) => row.uid === process.geteuid!() && row.id !== null)).toBe(true);

    const { pids } = await overDiag().holders(new Set(rows.map((row) => row.id!)));
    expect([...pids.values()]).toEqual(rows.map(() => [process.pid]));
  });

  it('shows only who waits for strangers where that is asked for', async () => {
    using listener = rawSocket('127.0.0.1', { listen: 1 });
    using bound = rawSocket('127.0.0.1');
    using udp = rawSocket('127.0.0.1', { protocol: 'udp' });
    for (const sockets of [overDiag(), overText()]) {
      const { rows } = await sockets.table({ ...at(listener.port, bound.port, udp.port), listening: true });
      const shown = only(rows, [listener, bound, udp]).map(({ protocol, port }) => ({ protocol, port }));
      expect(shown).toEqual([
        { protocol: 'tcp', port: listener.port },
        { protocol: 'udp', port: udp.port },
      ]);
    }
  });

  it('shows connections and their ends, the same over both sources but for what text cannot tell', async () => {
    const server = createServer((socket) => socket.on('error', () => {}));
    server.listen(0, '::');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1');
    const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
    const second = connect(port, '::1');
    const [[ending]] = await Promise.all([once(server, 'connection'), once(second, 'connect')]);
    const [clientPort, secondPort] = [client.localPort!, second.localPort!];
    const datagrams = createSocket('udp4');
    datagrams.bind(0, '127.0.0.1');
    await once(datagrams, 'listening');
    using bound = rawSocket('127.0.0.1');
    const query = at(port, clientPort, secondPort, datagrams.address().port, bound.port);
    try {
      // Who closes first waits: here the server's end of the second connection.
      ending.end();
      second.resume().end();
      const waiting = await eventually(async () => {
        const { rows } = await overDiag().table(query);
        return rows.find((row) => row.state === 'time-wait' && row.remotePort === secondPort);
      });
      expect(waiting).toMatchObject({ port, address: '::1', remotePort: secondPort, id: null, uid: null });

      const between = ({ rows }: { rows: SocketRow[] }) =>
        rows.filter(({ remotePort }) => [null, port, clientPort, secondPort].includes(remotePort));
      const diag = between(await overDiag().table(query));
      const text = await overText().table(query);
      expect(diag.map((row) => row.state).sort()).toEqual(
        ['bound', 'established', 'established', 'listen', 'time-wait', 'unconnected'].sort(),
      );
      expect(diag).toContainEqual(
        expect.objectContaining({ address: '::ffff:127.0.0.1', port, remotePort: clientPort }),
      );
      expect(text.source).toBe('procfs');
      expect(text.blindSpots.join()).toMatch(/bound.*not shown.*IPv4/);
      const comparable = diag
        .filter((row) => row.state !== 'bound')
        .map((row) => ({ ...row, v6only: null, sendQueue: row.state === 'listen' ? null : row.sendQueue }));
      expect(between(text).sort(by)).toEqual(comparable.sort(by));
    } finally {
      for (const each of [client, accepted, second, ending]) each.destroy();
      datagrams.close();
      server.close();
    }
  });

  it('agrees with itself on many sockets, over several datagrams of the kernel', async () => {
    const many = Array.from({ length: 600 }, () => rawSocket('127.0.0.1', { listen: 1 }));
    try {
      const ports = new Set(many.map(({ port }) => port));
      for (const sockets of [overDiag(), overText()]) {
        const { rows } = await sockets.table({ protocols: ['tcp'], listening: true });
        expect(rows.filter((row) => ports.has(row.port) && row.address === '127.0.0.1')).toHaveLength(
          many.length,
        );
      }
    } finally {
      for (const socket of many) socket.close();
    }
  });

  it('finds every process that shares a socket', async () => {
    using shared = rawSocket('127.0.0.1', { listen: 1 });
    const script = `setInterval(() => {}, 1000); console.log('up')`;
    const children = await Promise.all(
      [1, 2].map(() => startNode(script, { stdio: ['ignore', 'pipe', 'inherit', shared.fd, shared.fd] })),
    );
    const id = only((await overDiag().table(at(shared.port))).rows, [shared])[0]!.id!;
    const holdersOf = async () => [...((await overDiag().holders(new Set([id]))).pids.get(id) ?? [])];
    const everyone = [process.pid, ...children.map(({ pid }) => pid)];
    expect((await holdersOf()).sort()).toEqual(everyone.sort());
    await endChild(children[0]!);
    expect(await holdersOf()).not.toContain(children[0]!.pid);
    shared.close();
    expect(await holdersOf()).toEqual([children[1]!.pid]);
  });

  it('finds sockets behind gaps in the numbers of descriptors', async () => {
    const many = Array.from({ length: 300 }, () => rawSocket('127.0.0.1', { listen: 1 }));
    const kept = many.splice(290);
    try {
      for (const socket of many) socket.close();
      const rows = only((await overDiag().table(at(...kept.map(({ port }) => port)))).rows, kept);
      const { pids } = await overDiag().holders(new Set(rows.map((row) => row.id!)));
      expect([...pids.values()]).toEqual(kept.map(() => [process.pid]));
    } finally {
      for (const socket of kept) socket.close();
    }
  });

  it('is not confused by processes that come and go during the walk', async () => {
    using socket = rawSocket('127.0.0.1', { listen: 1 });
    const id = only((await overDiag().table(at(socket.port))).rows, [socket])[0]!.id!;
    const churn = spawn('sh', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' });
    try {
      for (let i = 0; i < 50; i++) {
        const { pids } = await overDiag().holders(new Set([id]));
        expect(pids.get(id)).toEqual([process.pid]);
      }
    } finally {
      await endChild({ process: churn });
    }
  });
});

describe.runIf(needs('looking without privilege', 'linux', 'root'))('without privilege', () => {
  /** Effective user only, so that the test can come back. */
  async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
    process.seteuid!(65534);
    try {
      return await work();
    } finally {
      process.seteuid!(0);
    }
  }

  it('shows the socket and says that holders may be hidden', async () => {
    const child = await startNode(
      `const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))`,
    );
    const system = createLinuxSystem();
    await asNobody(async () => {
      const query = { ...at(Number(child.line)), protocols: ['tcp' as const], listening: true };
      const { rows } = await system.sockets.table(query);
      expect(rows).toHaveLength(1);
      const { pids, unreadable } = await system.sockets.holders(new Set([rows[0]!.id!]));
      expect(pids.size).toBe(0);
      expect(unreadable).toBeGreaterThan(0);
    });
  });

  it('says how many namespaces it could not see', async () => {
    const system = createLinuxSystem();
    const { blindSpots } = await asNobody(() => system.sockets.table({ allNamespaces: true }));
    expect(blindSpots.join()).toMatch(/the network namespace of \d+ processes? is not known/);
  });
});

describe.runIf(needs('network namespaces', 'linux', 'root', 'ip'))('other network namespaces', () => {
  const name = `reeve-test-${process.pid}`;
  const ip = async (...args: string[]) => {
    const child = spawn('ip', args, { stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  };
  const listener = `const s = require('net').createServer().listen(0, '0.0.0.0', () => console.log(s.address().port))`;

  it.each(['auto', 'sock_diag', 'procfs'] as const)('are shown on request, over %s', async (socketSource) => {
    await ip('netns', 'add', name);
    try {
      const child = await startNode(listener, { prefix: ['ip', 'netns', 'exec', name] });
      const { sockets } = createLinuxSystem({ socketSource });
      const home = readlinkSync('/proc/thread-self/ns/net');
      const query = at(Number(child.line));
      const { rows } = await sockets.table({ ...query, allNamespaces: true });
      const namespace = readlinkSync(`/proc/${child.pid}/ns/net`);
      const there = rows.filter((row) => row.namespace === namespace);
      expect(there).toHaveLength(1);
      expect(there[0]).toMatchObject({ state: 'listen', address: '0.0.0.0' });
      const { pids } = await sockets.holders(new Set([there[0]!.id!]));
      expect(pids.get(there[0]!.id!)).toEqual([child.pid]);

      expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home);
      const own = await sockets.table(query);
      expect(own.rows.every((row) => row.namespace === null && row.id !== there[0]!.id)).toBe(true);
      await endChild(child);
    } finally {
      await ip('netns', 'delete', name);
    }
  });
});
