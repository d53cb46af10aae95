// What every lease book must do, whatever it is kept in. Ports and binds are real; time and processes are the test's.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/context.ts';
import type { LeaseOwner } from '../../src/core/lease.ts';
import type { GrantRequest, LeaseBook } from '../../src/leases/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import type { System } from '../../src/system/system.ts';
import { freeRange } from '../support/free-range.ts';

export interface BookSettings {
  system: System;
  clock: Clock;
  quarantineMs: number;
}

/** One place where leases are kept. Each call of `open` gives another book on it, as another process would have. */
export interface BookStore {
  open(settings: BookSettings): Promise<LeaseBook>;
  remove(): Promise<void>;
}

const quarantineMs = 1000;
const ttlMs = 10_000;
const never = new AbortController().signal;
const process1: LeaseOwner = { host: hostname(), pid: 101, start: 'a', startedAt: 1000 };
const process2: LeaseOwner = { host: hostname(), pid: 102, start: 'b', startedAt: 2000 };

export function leaseContract(kind: string, createStore: () => Promise<BookStore>): void {
  describe(`${kind} keeps the contract of LeaseBook`, () => {
    let store: BookStore;
    let book: LeaseBook;
    let first: number;
    let system: System;
    const now = { monotonic: 0, wall: 0 };
    const clock: Clock = { monotonic: () => now.monotonic, wall: () => now.wall };
    const alive = new Map<number, string>();
    const books: LeaseBook[] = [];
    const servers: { close(): unknown }[] = [];

    beforeEach(async () => {
      Object.assign(now, { monotonic: 1_000_000, wall: Date.UTC(2026, 0, 1) });
      for (const { pid, start } of [process1, process2]) alive.set(pid!, start!);
      const real = await selectSystem();
      const identify = async (pid: number) => {
        const start = alive.get(pid);
        return start === undefined ? null : { pid, start };
      };
      system = { ...real, processes: { ...real.processes, identify } };
      first = await freeRange(20);
      store = await createStore();
      book = await open();
    });
    afterEach(async () => {
      for (const server of servers.splice(0)) server.close();
      for (const each of books.splice(0)) each.close();
      await store.remove();
    });

    async function open(): Promise<LeaseBook> {
      const opened = await store.open({ system, clock, quarantineMs });
      books.push(opened);
      return opened;
    }
    const pass = (ms: number) => {
      now.monotonic += ms;
      now.wall += ms;
    };
    const request = (name: string, more: Partial<GrantRequest> = {}): GrantRequest => ({
      ...{ name, owner: process1, ttlMs, range: { first, last: first + 19 } },
      ...more,
    });
    const grant = (name: string, more: Partial<GrantRequest> = {}) => book.grant(request(name, more), never);
    const portOf = async (name: string, more: Partial<GrantRequest> = {}) =>
      (await grant(name, more))[0]!.port;
    const kinds = async () =>
      (await book.audit()).map((entry) => `${entry.kind} ${entry.name} ${entry.port - first}`);
    const release = async (name: string) => book.release(await book.list(name));

    async function serve(port: number, host: string): Promise<Server> {
      const server = createServer((socket) => socket.end()).listen(port, host);
      servers.push(server);
      await once(server, 'listening');
      return server;
    }
    async function receive(port: number, host: string): Promise<void> {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').bind({
        port,
        address: host,
        exclusive: true,
      });
      servers.push(socket);
      await once(socket, 'listening');
    }

    describe('a name and its ports', () => {
      it('gets the lowest that nobody has, and tells all about it', async () => {
        expect(await portOf('a')).toBe(first);
        const [lease] = await grant('b', { owner: process2 });
        expect(lease).toEqual({
          ...{ id: expect.any(String), name: 'b', port: first + 1, owner: process2, state: 'offered', ttlMs },
          ...{ grantedAt: now.wall, expiresAt: now.wall + ttlMs, renewals: 0, renewed: false, moved: null },
        });
        expect((await book.list()).map(({ name }) => name)).toEqual(['a', 'b']);
        expect((await book.list('b')).map(({ port }) => port)).toEqual([first + 1]);
      });

      it('gets its port again, though lower ones are free by then', async () => {
        await grant('a');
        expect(await portOf('b')).toBe(first + 1);
        await release('a');
        await release('b');
        pass(quarantineMs);
        expect(await portOf('b')).toBe(first + 1);
        expect(await portOf('c')).toBe(first + 2);
      });

      it('gets the first of its ports first, whatever it had last', async () => {
        expect(await portOf('a')).toBe(first);
        expect(await portOf('a', { owner: process2 })).toBe(first + 1);
        await release('a');
        expect(await portOf('a')).toBe(first);
        expect(await portOf('a')).toBe(first + 1);
      });

      it('keeps it across books', async () => {
        await grant('a');
        const port = await portOf('b');
        await release('b');
        const [lease] = await (await open()).grant(request('b'), never);
        expect(lease!.port).toBe(port);
      });

      it('leaves a port to another only after the quarantine, the longest rested first', async () => {
        const range = { first, last: first + 1 };
        await grant('a', { range });
        await grant('b', { range });
        await release('b');
        pass(1);
        await release('a');
        pass(quarantineMs - 2);
        await expect(grant('c', { range })).rejects.toMatchObject({ code: 'conflict' });
        pass(1);
        expect(await portOf('c', { range })).toBe(first + 1);
        await expect(grant('d', { range })).rejects.toMatchObject({ code: 'conflict' });
        pass(1);
        expect(await portOf('d', { range })).toBe(first);
      });
    });

    describe('without a process', () => {
      it('is prolonged by asking again', async () => {
        const port = await portOf('a', { owner: null });
        pass(ttlMs - 1);
        const [again] = await grant('a', { owner: null });
        expect(again).toMatchObject({ port, renewed: true, renewals: 1, expiresAt: now.wall + ttlMs });
        expect(again!.owner).toMatchObject({ host: expect.any(String), pid: null });
        pass(ttlMs);
        expect(await book.list()).toEqual([]);
        expect(await kinds()).toEqual(['granted a 0', 'renewed a 0', 'expired a 0']);
      });

      it('is prolonged while its server listens, and grows to a block', async () => {
        const port = await portOf('a', { owner: null });
        await serve(port, '127.0.0.1');
        const leases = await grant('a', { owner: null, count: 2 });
        expect(leases.map((each) => [each.port, each.renewed])).toEqual([
          [port, true],
          [port + 1, false],
        ]);
      });

      it('is taken over by a process of the same name, if nobody listens there', async () => {
        const [one] = await grant('a', { owner: null });
        const [other] = await grant('a');
        expect(other).toMatchObject({ port: first, owner: process1, renewed: false, moved: null });
        expect(await book.release([one!])).toEqual([]);
        await release('a');
        await grant('b', { owner: null });
        await serve(first + 1, '127.0.0.1');
        expect(await portOf('b')).toBe(first + 2);
        // What the failed try had interrupted goes on.
        expect((await book.list('b')).map(({ port, owner }) => [port, owner.pid])).toEqual([
          [first + 1, null],
          [first + 2, 101],
        ]);
      });

      it('does not get the port that a living process of the same name has', async () => {
        await grant('a');
        expect(await portOf('a', { owner: null })).toBe(first + 1);
      });
    });

    describe('owners', () => {
      it('never share a port, though the name be the same', async () => {
        const ports = [await portOf('a'), await portOf('a'), await portOf('a', { owner: process2 })];
        expect(new Set(ports).size).toBe(3);
        await expect(grant('a', { owner: process2, strict: true })).rejects.toMatchObject({
          code: 'conflict',
        });
      });

      it('leave their port to the name at once when they are gone, to others after the quarantine', async () => {
        const range = { first, last: first };
        await grant('a', { range });
        alive.delete(process1.pid!);
        expect(await portOf('a', { range, owner: process2 })).toBe(first);
        alive.delete(process2.pid!);
        await expect(grant('b', { range, owner: null })).rejects.toMatchObject({ code: 'conflict' });
        expect(await book.list()).toEqual([]);
        pass(quarantineMs);
        expect(await portOf('b', { range, owner: null })).toBe(first);
        expect(await kinds()).toEqual([
          'granted a 0',
          'expired a 0',
          'granted a 0',
          'expired a 0',
          'granted b 0',
        ]);
        expect((await book.audit())[1]!.evidence).toEqual({ why: 'its owner is gone' });
      });

      it('are not taken for a later process with the same PID', async () => {
        await grant('a');
        alive.set(process1.pid!, 'another start');
        expect(await portOf('a', { owner: process2 })).toBe(first);
      });

      it('of another host are judged by their heartbeat alone', async () => {
        await grant('a', { owner: { ...process1, host: 'elsewhere', pid: 999 } });
        expect(await portOf('a')).toBe(first + 1);
        pass(ttlMs);
        expect(await book.list()).toEqual([]);
      });
    });

    describe('heartbeats', () => {
      it('keep a lease for as long as they come', async () => {
        const leases = await grant('a');
        for (let beat = 1; beat <= 5; beat++) {
          pass(ttlMs - 1);
          expect(await book.renew(leases)).toMatchObject([{ renewals: beat, expiresAt: now.wall + ttlMs }]);
        }
        pass(ttlMs);
        expect(await book.list()).toEqual([]);
        const [granted, renewed, expired] = await book.audit();
        expect([granted!.kind, renewed!.kind, expired!.kind]).toEqual(['granted', 'renewed', 'expired']);
        expect(renewed!.evidence).toMatchObject({ times: 5 });
        expect(expired!.evidence).toEqual({ why: 'no heartbeat came' });
      });

      it('that come late go on where nobody else has the port', async () => {
        const leases = await grant('a');
        pass(ttlMs * 2);
        expect(await book.list()).toEqual([]);
        expect(await book.renew(leases)).toHaveLength(1);
        expect(await book.list()).toMatchObject([{ name: 'a', port: first, state: 'offered' }]);
      });

      it('that come too late are told so', async () => {
        const range = { first, last: first };
        const late = await grant('a', { range });
        pass(ttlMs + quarantineMs);
        const [other] = await grant('b', { range, owner: process2 });
        expect(await book.renew(late)).toEqual([]);
        expect(await book.markBound(late[0]!)).toBe(false);
        expect(await book.release(late)).toEqual([]);
        expect(await book.list()).toMatchObject([{ id: other!.id, name: 'b' }]);
      });

      it('do not bring back what was released', async () => {
        const leases = await grant('a');
        expect(await book.release(leases)).toMatchObject([{ state: 'released' }]);
        expect(await book.renew(leases)).toEqual([]);
        expect(await book.release(leases)).toEqual([]);
        expect(await kinds()).toEqual(['granted a 0', 'released a 0']);
      });
    });

    describe('time', () => {
      it.each([-86_400_000, 86_400_000])('may be set by %i ms, and no lease ends by it', async (step) => {
        const leases = await grant('a');
        now.wall += step;
        expect(await book.list()).toMatchObject([{ expiresAt: now.wall + ttlMs }]);
        expect(await portOf('a', { owner: process2 })).toBe(first + 1);
        expect(await book.renew(leases)).toHaveLength(1);
      });

      it('begins anew when the machine does, and old leases are over', async () => {
        await grant('a', { owner: null });
        await grant('b');
        await release('b');
        now.monotonic = 5;
        book = await open();
        expect(await book.list()).toEqual([]);
        const range = { first, last: first + 1 };
        expect((await grant('c', { range, count: 2 })).map(({ port }) => port)).toEqual([first, first + 1]);
      });
    });

    describe('blocks', () => {
      it('are consecutive where they can be', async () => {
        await grant('a');
        await serve(first + 2, '127.0.0.1');
        const ports = (await grant('b', { count: 3 })).map(({ port }) => port - first);
        expect(ports).toEqual([3, 4, 5]);
        await release('b');
        expect((await grant('b', { count: 3 })).map(({ port }) => port - first)).toEqual(ports);
      });

      it('are whole, or nothing is leased', async () => {
        const range = { first, last: first + 3 };
        await serve(first + 1, '127.0.0.1');
        await expect(grant('a', { count: 4, range })).rejects.toMatchObject({ code: 'conflict' });
        expect(await book.list()).toEqual([]);
        expect((await grant('b', { count: 3, range })).map(({ port }) => port - first)).toEqual([0, 2, 3]);
      });
    });

    describe('strangers', () => {
      it.each([
        ['TCP on IPv4', (port: number) => serve(port, '127.0.0.1')],
        ['TCP on IPv6', (port: number) => serve(port, '::1')],
        ['UDP on IPv4', (port: number) => receive(port, '127.0.0.1')],
        ['UDP on IPv6', (port: number) => receive(port, '::1')],
        [
          'a parked socket',
          async (port: number) => {
            const parked = await system.binder.park(port);
            servers.push({ close: () => parked.release() });
          },
        ],
      ])('that have a port by %s keep it', async (_, occupy) => {
        await occupy(first);
        expect(await portOf('a')).toBe(first + 1);
        const [, refused] = await book.audit();
        expect(refused).toMatchObject({ kind: 'refused', port: first, evidence: { code: 'EADDRINUSE' } });
      });

      it('that have the port of a name make it move, and are named; when they leave, it moves back', async () => {
        await grant('a');
        await release('a');
        const stranger = await serve(first, '127.0.0.1');
        const [moved] = await grant('a');
        expect(moved).toMatchObject({ port: first + 1, moved: { from: first } });
        expect(moved!.moved!.why).toContain(`PID ${process.pid}`);
        expect((await book.audit()).at(-1)).toMatchObject({
          kind: 'moved',
          evidence: { from: first, to: first + 1 },
        });
        await release('a');
        await expect(grant('a', { strict: true, range: { first, last: first } })).rejects.toMatchObject({
          code: 'conflict',
          message: expect.stringContaining(`PID ${process.pid}`),
        });
        // Also one that has the only port of the range, though the name never had it; and while that port rests.
        const range = { first, last: first };
        for (const name of ['b', 'c']) {
          const refusal = { code: 'conflict', message: expect.stringContaining(`in ${first}`) };
          await expect(grant(name, { range })).rejects.toMatchObject(refusal);
        }
        stranger.close();
        await once(stranger, 'close');
        expect(await grant('a', { strict: true })).toMatchObject([{ port: first, moved: null }]);
      });

      it('are not what a closed server of the name has left in TIME_WAIT', async () => {
        await grant('a');
        const server = await serve(first, '::');
        for (const host of ['127.0.0.1', '::1']) {
          const { connect } = await import('node:net');
          await once(connect(first, host).resume(), 'close');
        }
        server.close();
        await once(server, 'close');
        await release('a');
        expect(
          (await system.sockets.table({ ports: [{ first, last: first }] })).rows.map(({ state }) => state),
        ).toContain('time-wait');
        expect(await portOf('a')).toBe(first);
        await release('a');
        pass(quarantineMs);
        // Another's server may not be able to cope with it.
        expect(await portOf('b', { range: { first, last: first + 1 } })).toBe(first + 1);
      });
    });

    it('never leases what settings keep out', async () => {
      const exclude = [{ first, last: first + 2 }];
      expect(await portOf('a', { exclude })).toBe(first + 3);
      const { ephemeral } = await system.host.facts();
      if (ephemeral) await expect(grant('b', { range: ephemeral })).rejects.toThrow('outgoing connections');
      await expect(grant('c', { range: { first: 6000, last: 6000 }, http: true })).rejects.toThrow(
        'browsers',
      );
      await expect(grant('a', { exclude, count: 18 })).rejects.toThrow('only 17 ports');
    });

    it.each([
      { name: 'a b' },
      { count: 0 },
      { count: 1.5 },
      { count: 1001 },
      { ttlMs: 0 },
      { ttlMs: Number.NaN },
      { ttlMs: Number.POSITIVE_INFINITY },
    ])('refuses %j', async (bad) => {
      await expect(grant('a', bad)).rejects.toMatchObject({ code: 'usage' });
    });

    it('stops when told to', async () => {
      await expect(book.grant(request('a'), AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
      expect(await book.list()).toEqual([]);
    });

    it('writes down what happened, and tells it by time and name', async () => {
      const [lease] = await grant('a');
      expect(await book.markBound(lease!, { pid: 7 })).toBe(true);
      expect(await book.list()).toMatchObject([{ state: 'bound' }]);
      pass(5000);
      await book.note(lease!, 'stolen', { by: { pid: 8, name: 'x\u0000"\u001b' } });
      await grant('b');
      await book.release([lease!], { why: 'done' });
      expect(await book.audit({ name: 'a' })).toMatchObject([
        { kind: 'granted', lease: lease!.id, owner: process1, at: now.wall - 5000 },
        { kind: 'bound', evidence: { pid: 7 } },
        { kind: 'stolen', evidence: { by: { name: 'x\u0000"\u001b' } } },
        { kind: 'released', evidence: { why: 'done' } },
      ]);
      expect((await book.audit({ sinceMs: 1000 })).map(({ kind }) => kind)).toEqual([
        'stolen',
        'granted',
        'released',
      ]);
      expect((await book.audit({ limit: 1 })).map(({ kind }) => kind)).toEqual(['released']);
    });

    it('gives each port once to many who ask at the same time', async () => {
      const all = [book, ...(await Promise.all(Array.from({ length: 3 }, open)))];
      const asked = Array.from({ length: 20 }, (_, i) => all[i % 4]!.grant(request(`n${i % 5}`), never));
      const ports = (await Promise.all(asked)).flat().map(({ port }) => port);
      expect(new Set(ports).size).toBe(20);
      await expect(grant('one-more')).rejects.toMatchObject({ code: 'conflict' });
    });
  });
}
