// What every System must do, run over each implementation. What one cannot do, it must say in the agreed way.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { BindRequest, SocketRow, System } from '../../src/system/index.ts';
import { startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';

export interface SystemUnderTest {
  create: () => System;
  /** Whether it knows sockets and processes; else each such question must be refused as `unsupported`. */
  knows: boolean;
  /** What there is not on this system: zombies, ports held without listening, programs that handle SIGTERM. */
  lacks?: readonly ('zombies' | 'parking' | 'handlers')[];
  /** Its services may have spaces in their names. */
  spacedUnits?: boolean;
}

const noProcess = { pid: 4_194_304 + 1, start: 'none' };
const never = () => new AbortController().signal;

export function systemContract(
  name: string,
  { create, knows, lacks = [], spacedUnits = false }: SystemUnderTest,
): void {
  const [asked, askedStatus] = lacks.includes('handlers')
    ? (['SIGKILL', [1, null]] as const)
    : (['SIGTERM', [null, 'SIGTERM']] as const);
  describe(`${name} keeps the contract of System`, () => {
    const servers: Server[] = [];
    afterEach(() => {
      for (const server of servers.splice(0)) server.close();
    });

    async function listen(host: string): Promise<number> {
      const server = createServer();
      servers.push(server);
      server.listen(0, host);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }

    describe('binder', () => {
      const tcp = (request: Partial<BindRequest>): BindRequest => ({
        protocol: 'tcp',
        address: '127.0.0.1',
        port: 0,
        reuse: true,
        v6only: false,
        ...request,
      });

      it.each(['tcp', 'udp'] as const)('binds %s to any port and tells which it was', async (protocol) => {
        const outcome = await create().binder.attempt(tcp({ protocol }));
        expect(outcome).toMatchObject({ ok: true });
        expect((outcome as { port: number }).port).toBeGreaterThan(0);
      });

      it('leaves the port free', async () => {
        const { binder } = create();
        const first = (await binder.attempt(tcp({}))) as { port: number };
        expect(await binder.attempt(tcp({ port: first.port }))).toEqual({ ok: true, port: first.port });
      });

      it('names the error of a port that is taken', async () => {
        const port = await listen('127.0.0.1');
        const outcome = await create().binder.attempt(tcp({ port }));
        expect(outcome).toMatchObject({ ok: false, error: { code: 'EADDRINUSE' } });
      });

      it('names the error of an address that is not here', async () => {
        // TEST-NET-2 (RFC 5737) belongs to no machine.
        const outcome = await create().binder.attempt(tcp({ address: '198.51.100.1' }));
        expect(outcome).toMatchObject({ ok: false, error: { code: 'EADDRNOTAVAIL', syscall: 'bind' } });
      });

      it.runIf(needs('IPv6 binds', 'ipv6'))('binds IPv6', async () => {
        expect(await create().binder.attempt(tcp({ address: '::1', v6only: true }))).toMatchObject({
          ok: true,
        });
      });

      if (lacks.includes('parking')) {
        it('refuses to park', async () => {
          await expect(create().binder.park(20_000)).rejects.toMatchObject({ code: 'unsupported' });
        });
      } else if (knows) {
        it('parks a port until it is released', async () => {
          const { binder } = create();
          const { port } = (await binder.attempt(tcp({}))) as { port: number };
          const parked = await binder.park(port);
          expect(await binder.attempt(tcp({ port, reuse: false }))).toMatchObject({ ok: false });
          expect(await binder.attempt(tcp({ port }))).toEqual({ ok: true, port });
          parked.release();
          expect(await binder.attempt(tcp({ port, reuse: false }))).toEqual({ ok: true, port });
          await expect(binder.park(await listen('127.0.0.1'))).rejects.toMatchObject({ code: 'conflict' });
        });
      }

      it.each(['localhost', '', '1.2.3', '::g'])('refuses %j, which is no address', async (address) => {
        await expect(create().binder.attempt(tcp({ address }))).rejects.toMatchObject({ code: 'usage' });
      });
    });

    it('knows this machine and user', async () => {
      const facts = await create().host.facts();
      expect(facts.user.uid).toBe(process.geteuid?.() ?? null);
      expect(facts.user.name).not.toBe('');
      expect(facts.addresses).toContainEqual(expect.objectContaining({ address: '127.0.0.1' }));
      expect(facts.ipv6.available || facts.ipv6.reason !== null).toBe(true);
    });

    if (!knows) {
      it('refuses in the agreed way what it cannot do', async () => {
        const { sockets, processes, binder, managers, platform } = create();
        const refusal = {
          name: 'ReeveError',
          code: 'unsupported',
          message: expect.stringContaining(platform),
        };
        await expect(sockets.table()).rejects.toMatchObject(refusal);
        await expect(sockets.holders(new Set(['1']))).rejects.toMatchObject(refusal);
        await expect(processes.facts(process.pid)).rejects.toMatchObject(refusal);
        await expect(processes.list()).rejects.toMatchObject(refusal);
        await expect(processes.identify(process.pid)).rejects.toMatchObject(refusal);
        await expect(processes.signal(noProcess, 'SIGTERM')).rejects.toMatchObject(refusal);
        await expect(processes.exited(noProcess, never())).rejects.toMatchObject(refusal);
        await expect(binder.park(20_000)).rejects.toMatchObject(refusal);
        await expect(managers.stopUnit('a.service', never())).rejects.toMatchObject(refusal);
        await expect(managers.stopContainer('a', never())).rejects.toMatchObject(refusal);
        expect(() => managers.stopUnitCommand('a.service')).toThrow(expect.objectContaining(refusal));
      });
      return;
    }

    describe('sockets', () => {
      it('shows a listener and who holds it', async () => {
        const port = await listen('127.0.0.1');
        const { sockets } = create();
        const { rows, source } = await sockets.table({
          protocols: ['tcp'],
          ports: [{ first: port, last: port }],
          listening: true,
        });
        expect(source).not.toBe('');
        expect(rows).toHaveLength(1);
        const [row] = rows as [SocketRow];
        expect(row).toMatchObject({
          protocol: 'tcp',
          family: 'ipv4',
          address: '127.0.0.1',
          port,
          remoteAddress: null,
          remotePort: null,
          state: 'listen',
          namespace: null,
        });
        const { pids } = await sockets.holders(new Set([row.id!]));
        expect(pids.get(row.id!)).toEqual([process.pid]);
      });

      it('keeps to the ports and protocols that were asked for', async () => {
        const port = await listen('127.0.0.1');
        const { sockets } = create();
        const around = await sockets.table({ ports: [{ first: port - 1, last: port + 1 }] });
        expect(around.rows.some((row) => row.port === port)).toBe(true);
        expect(around.rows.every((row) => Math.abs(row.port - port) <= 1)).toBe(true);
        const udp = await sockets.table({ protocols: ['udp'] });
        expect(udp.rows.every((row) => row.protocol === 'udp')).toBe(true);
      });

      it('has no holder for a socket that does not exist', async () => {
        const { pids } = await create().sockets.holders(new Set(['4294967295']));
        expect(pids.size).toBe(0);
      });
    });

    describe('processes', () => {
      it('knows itself', async () => {
        const { processes } = create();
        const facts = await processes.facts(process.pid);
        expect(facts).toMatchObject({ pid: process.pid, parent: process.ppid, cwd: process.cwd() });
        expect(facts!.command.length).toBeGreaterThan(0);
        expect(facts!.startedAt!.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
        expect(await processes.identify(process.pid)).toEqual({ pid: process.pid, start: facts!.start });
        expect(await processes.list()).toContainEqual({
          pid: process.pid,
          start: facts!.start,
          parent: process.ppid,
          name: facts!.name,
        });
      });

      it.each([0, -1, 1.5, Number.NaN, noProcess.pid])('knows no process %d', async (pid) => {
        const { processes } = create();
        expect(await processes.facts(pid)).toBeNull();
        expect(await processes.identify(pid)).toBeNull();
        // Not tried with 0 and -1: were the check missing, the signal would reach a group, or everybody.
        if (pid > 0) expect(await processes.signal({ pid, start: '1' }, 'SIGTERM')).toBe('gone');
      });

      it('signals a process and sees it end', async () => {
        const child = await startNode(`setInterval(() => {}, 1000); console.log('up')`);
        const { processes } = create();
        const identity = (await processes.identify(child.pid))!;
        const ended = processes.exited(identity, AbortSignal.timeout(10_000));
        const status = once(child.process, 'exit');
        expect(await processes.signal(identity, asked)).toBe('sent');
        await ended;
        expect(await status).toEqual(askedStatus);
        expect(await processes.identify(child.pid)).toBeNull();
        expect(await processes.signal(identity, asked)).toBe('gone');
        await processes.exited(identity, never());
      });

      it('signals nobody where the PID belongs to another by now', async () => {
        const child = await startNode(
          `process.on('SIGTERM', () => process.exit(9));
           process.stdin.resume().on('end', () => process.exit(3)); console.log('up')`,
          { stdio: ['pipe', 'pipe', 'inherit'] },
        );
        const { processes } = create();
        const identity = (await processes.identify(child.pid))!;
        const predecessor = { ...identity, start: `0${identity.start}` };
        expect(await processes.signal(predecessor, asked)).toBe('gone');
        await processes.exited(predecessor, never());
        // Had the signal arrived, the child would end with another code.
        const status = once(child.process, 'exit');
        child.process.stdin!.end();
        expect(await status).toEqual([3, null]);
      });

      it('stops waiting when told to', async () => {
        const { processes } = create();
        const identity = (await processes.identify(process.pid))!;
        const stop = new AbortController();
        const waiting = processes.exited(identity, stop.signal);
        stop.abort();
        await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
        await expect(processes.exited(identity, stop.signal)).rejects.toMatchObject({ code: 'aborted' });
        const timed = processes.exited(identity, AbortSignal.timeout(1));
        await expect(timed).rejects.toMatchObject({ code: 'timeout' });
      });

      if (lacks.includes('zombies')) return;
      it('counts a zombie as ended', async () => {
        // A shell that becomes `sleep` leaves its child to a parent that never reaps it.
        const parent = spawn('sh', ['-c', 'exec 3<&0; sh -c "echo \\$\\$; read line" <&3 & exec sleep 100'], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        try {
          const [text] = (await once(parent.stdout, 'data')) as [Buffer];
          const { processes } = create();
          const identity = (await processes.identify(Number(text.toString())))!;
          const ended = processes.exited(identity, AbortSignal.timeout(10_000));
          parent.stdin.end('\n');
          await ended;
          expect(await processes.identify(identity.pid)).toBeNull();
          expect(await processes.signal(identity, 'SIGKILL')).toBe('gone');
        } finally {
          const gone = once(parent, 'exit');
          parent.kill('SIGKILL');
          await gone;
        }
      });
    });

    it('refuses to stop what is no name of a unit or container', async () => {
      const { managers } = create();
      for (const bad of [
        '',
        '--now',
        ...(spacedUnits ? [] : ['a b.service']),
        '../x.service',
        'x;reboot',
        '$(reboot)',
        'a\nb',
      ]) {
        await expect(managers.stopUnit(bad, never())).rejects.toMatchObject({ code: 'usage' });
        await expect(managers.stopContainer(bad, never())).rejects.toMatchObject({ code: 'usage' });
        expect(() => managers.stopUnitCommand(bad)).toThrow(expect.objectContaining({ code: 'usage' }));
      }
    });
  });
}
