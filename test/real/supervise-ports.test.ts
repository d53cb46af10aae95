// Who really listens: an instance on the wrong port, strangers on its port, and servers that are hard to recognise.
import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { InstanceStatus } from '../../src/supervise/index.ts';
import { eventually } from '../support/children.ts';
import { needs, program as programOnPath } from '../support/parts.ts';
import { type Supervised, serviceConfig, supervised } from './supervise-support.ts';

const linux = (what: string) => test.runIf(needs(what, 'linux'));

async function stranger(port: number): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return server;
}

const conflicts = ({ events }: Supervised) => events.filter(({ kind }) => kind === 'conflict');
const named = (port: number) => `port ${port} \\(http\\) is held by PID ${process.pid} \\(.+, user .+\\): `;
const is =
  (state: string) =>
  ([one]: InstanceStatus[]) =>
    one!.state === state;
const patient = { backoff: { min: 600, max: 60_000 }, limit: { count: 1000, perMs: 60_000 } };

/** Started, and not listening before it is told to. */
async function waitingForSignal(run: Supervised, after?: number): Promise<InstanceStatus> {
  await run.until('it waits for the signal', ([one]) => {
    const heard = run.lines.filter((line) => line.includes('waiting for SIGUSR2')).length;
    return one!.pid !== null && one!.pid !== after && heard >= (after ? 2 : 1);
  });
  return run.first();
}

linux('an instance that listens on the wrong port')(
  'an instance that listens on the wrong port is never ready; one event says where it listens and what PORT was',
  async () => {
    const run = supervised(serviceConfig(['wrong-port']));
    await run.until('it is down', is('down'));
    const { http } = run.first().ports;
    expect(conflicts(run).map(({ message }) => message)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^listens on 127\\.0\\.0\\.1:\\d+, but PORT was ${http} \\(http\\): make it listen on \\$PORT, or put \\{port\\.http\\} into its command$`,
        ),
      ),
    ]);
    expect(run.events.map(({ message }) => message.split(' ')[0])).toEqual(['started', 'listens']);
    expect(run.first()).toMatchObject({ restarts: 0, reason: conflicts(run)[0]!.message });
  },
);

linux('a port stolen before the instance listens')(
  'a port stolen before the instance listens: one event names the thief, another port, and no restart is spent',
  async () => {
    const run = supervised(serviceConfig(['on-signal']));
    const { pid, ports } = await waitingForSignal(run);
    await stranger(ports.http!);
    process.kill(pid!, 'SIGUSR2');
    const next = await waitingForSignal(run, pid!);
    process.kill(next.pid!, 'SIGUSR2');
    await run.allUp(1);
    expect(run.first().ports.http).not.toBe(ports.http);
    expect(conflicts(run).map(({ message }) => message)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^${named(ports.http!)}it moves to port ${next.ports.http}\\. To see more: reeve who ${ports.http}$`,
        ),
      ),
    ]);
    expect(run.events.filter(({ kind }) => kind === 'restart')).toEqual([]);
    expect(run.first().history.map(({ reason }) => reason)).toEqual(['lost-port']);
  },
);

linux('a port stolen from an instance that is up')(
  'a port stolen from an instance that is up, by one that answers its check: one event names the thief, and it moves',
  async () => {
    const run = supervised(serviceConfig(['let-go'], { check: { ...serviceConfig().check, fall: 1000 } }));
    await run.allUp(1);
    const { pid, ports } = run.first();
    process.kill(pid!, 'SIGUSR2');
    await eventually(() => run.lines.some((line) => line.includes('let go of its port')));
    await stranger(ports.http!);
    await run.until('it is up elsewhere', ([one]) => one!.state === 'up' && one!.pid !== pid);
    const next = run.first();
    expect(next.ports.http).not.toBe(ports.http);
    expect(conflicts(run).map(({ message }) => message)).toEqual([
      expect.stringMatching(new RegExp(`^${named(ports.http!)}it moves to port ${next.ports.http}\\.`)),
    ]);
    expect(next.history).toEqual([expect.objectContaining({ reason: 'lost-port' })]);
    expect(next.history[0]!.detail).toMatch(new RegExp(`^port ${ports.http} is held by PID ${process.pid} `));
  },
);

linux('a stranger that answers in its place')(
  'a stranger that answers in its place makes nobody ready',
  async () => {
    const run = supervised(serviceConfig(['on-signal', 'survive-conflict']));
    const { pid, ports } = await waitingForSignal(run);
    const states = new Set<string>();
    run.service.onChange(() => {
      if (run.first().pid === pid) states.add(run.first().state);
    });
    await stranger(ports.http!);
    process.kill(pid!, 'SIGUSR2');
    const next = await waitingForSignal(run, pid!);
    expect(states).not.toContain('up');
    process.kill(next.pid!, 'SIGUSR2');
    await run.allUp(1);
    expect(conflicts(run)).toHaveLength(1);
    expect(run.first().history.map(({ reason }) => reason)).toEqual(['lost-port']);
  },
);

test('a port that a stranger took while it was down is given up for another, or waited for', async () => {
  for (const portTaken of ['move', 'wait'] as const) {
    const run = supervised(serviceConfig([], { park: false, restart: { ...patient, portTaken } }));
    await run.allUp(1);
    const { pid, ports } = run.first();
    process.kill(pid!, 'SIGKILL');
    await run.until('it has ended', is('backoff'));
    const thief = await stranger(ports.http!);
    if (portTaken === 'wait') {
      await run.until('it waits', is('waiting'));
      thief.close();
    }
    await run.until('it is up again', ([one]) => one!.state === 'up' && one!.pid !== pid);
    expect(run.first().ports.http === ports.http).toBe(portTaken === 'wait');
    expect(conflicts(run).map(({ message }) => message)).toEqual([
      expect.stringMatching(new RegExp(portTaken === 'wait' ? 'it waits until' : 'it moves to')),
    ]);
  }
});

linux('a server that left its family')(
  'a server that left its family is known by the mark that it inherited, and ends with the instance',
  async () => {
    const config = serviceConfig();
    const quoted = config.command.map((word) => `'${word}'`).join(' ');
    // Twice detached, with init as its parent and a session of its own.
    const script = `(setsid ${quoted} &) ; exec sleep 1000`;
    const run = supervised({ ...config, command: ['/bin/sh', '-c', script] });
    await run.allUp(1);
    const port = run.first().ports.http;
    expect(conflicts(run)).toEqual([]);
    await run.service.stop();
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  },
);

test.runIf(needs('a server without SO_REUSEADDR', 'linux', 'perl'))(
  'a server without SO_REUSEADDR gets its port bare at the second try, or at once with park: false',
  async () => {
    const script = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ENV{PORT}, Listen => 5) or die "$!\\n"; while (my $c = $s->accept) { close $c }`;
    const command = [programOnPath('perl')!, '-e', script];
    const check = { ...serviceConfig().check, http: undefined };
    const bare = supervised(serviceConfig([], { command, check, park: false }));
    await bare.allUp(1);
    expect(bare.first().restarts).toBe(0);
    const parked = supervised(serviceConfig([], { command, check }));
    await parked.allUp(1);
    expect(parked.first().restarts).toBe(1);
    expect(parked.lines[0]).toContain('Address already in use');
  },
);

test('with verify: false whoever answers will do', async () => {
  const run = supervised(serviceConfig([], { verify: false, command: ['/bin/sleep', '1000'] }));
  await run.until('it runs', ([one]) => one!.pid !== null);
  await stranger(run.first().ports.http!);
  await run.allUp(1);
  expect(conflicts(run)).toEqual([]);
});

test('the reasons of the last restarts are kept, twenty of them', async () => {
  const restart = { backoff: { min: 10, max: 10 }, limit: { count: 1000, perMs: 60_000 } };
  const run = supervised(serviceConfig([], { command: ['/bin/sh', '-c', 'exit 7'], restart }));
  await run.until('it has failed often', ([one]) => one!.restarts >= 22);
  expect(run.first().history).toHaveLength(20);
  expect(run.first().history[0]).toMatchObject({ reason: 'exit', detail: 'exit code 7' });
  expect(run.service.restarts().exit).toBeGreaterThanOrEqual(22);
});
