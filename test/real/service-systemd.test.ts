// The daemon as a systemd service: what systemd makes of the unit, what it is told, and the sockets that it opens.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/index.ts';
import { checked, libc } from '../../src/ffi/index.ts';
import { decodeAddress } from '../../src/system/linux/bound.ts';
import { createLinuxSystem } from '../../src/system/linux/index.ts';
import { systemd } from '../../src/system/linux/service-manager.ts';
import { eventually } from '../support/children.ts';
import { notifySocket } from '../support/notify-socket.ts';
import { needs, program } from '../support/parts.ts';
import { reeve, reeveFile, startReeve } from '../support/reeve.ts';
import { systemdEnvironment } from '../support/systemd.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reeve-systemd-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const configure = (yaml: string) => {
  const file = path.join(folder, 'reeve.yaml');
  writeFileSync(file, `control: { listen: "127.0.0.1:0" }\nstate: ./state\n${yaml}`);
  return file;
};

describe.runIf(needs('the unit as systemd reads it', 'linux', 'systemd-analyze'))('the unit', () => {
  const analyze = (...args: string[]) => {
    const env = { ...process.env, ...systemdEnvironment('systemd-analyze'), LC_ALL: 'C.UTF-8' };
    return spawnSync(program('systemd-analyze')!, args, { encoding: 'utf8', env });
  };

  it.each([
    ['supervise', 3.6],
    ['inspect', 3],
  ] as const)('%s has no fault, and an exposure of at most %d', async (profile, most) => {
    const { stdout } = await reeve(['service', 'render', '--platform', 'linux', '--profile', profile]);
    const unit = path.join(folder, `portreeve-${profile}.service`);
    writeFileSync(unit, stdout);
    const { status, stderr } = analyze('verify', unit);
    // Units of this machine may have faults of their own.
    expect(stderr.split('\n').filter((line) => line.includes('portreeve'))).toEqual([]);
    expect(status).toBe(0);
    const said = analyze('security', '--offline=true', '--no-pager', unit).stdout;
    // What is weaker than it could be has its reason above it.
    const comments = stdout
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .join('\n');
    const weaker = [...said.matchAll(/^✗ (\w+)=/gm)].map(([, name]) => name!);
    expect(weaker.length).toBeGreaterThan(10);
    expect([...new Set(weaker)].filter((name) => !comments.includes(name))).toEqual([]);
    expect(Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1])).toBeLessThanOrEqual(most);
  });
});

describe.runIf(needs('systemd as it is told', 'linux'))('what systemd is told', () => {
  it.each(['path', 'abstract'])(
    'all of a life, in order, by a %s',
    async (kind) => {
      const address = kind === 'path' ? path.join(folder, 'notify') : `@reeve-test-${path.basename(folder)}`;
      using socket = notifySocket(address);
      const file = configure('');
      const env = { ...process.env, NOTIFY_SOCKET: address, WATCHDOG_USEC: '400000' };
      const daemon = startReeve(['up', '-q', '-c', file], { env });
      onTestFinished(() => void daemon.kill('SIGKILL'));
      const exited = once(daemon, 'exit');
      const saying = (name: string) => socket.messages().filter((message) => name in message);
      await eventually(() => saying('READY').length === 1, 30_000);
      await eventually(() => saying('WATCHDOG').length >= 3);
      const before = process.hrtime.bigint() / 1000n;
      expect((await reeve(['reload', '-c', file])).code).toBe(0);
      await eventually(() => saying('READY').length === 2);
      daemon.kill('SIGTERM');
      expect((await exited)[0]).toBe(0);
      const order = socket
        .messages()
        .filter((message) => !('WATCHDOG' in message))
        .map((message) => Object.keys(message)[0]);
      expect(order.filter((name, i) => name !== order[i - 1])).toEqual([
        'EXTEND_TIMEOUT_USEC',
        'READY',
        'RELOADING',
        'READY',
        'STOPPING',
      ]);
      const [reloading] = saying('RELOADING');
      expect(BigInt(reloading!.MONOTONIC_USEC!)).toBeGreaterThan(before);
      expect(saying('READY')[0]!.STATUS).toMatch(
        /^0 listeners, 0 of 0 instances up, control API on 127\.0\.0\.1:\d+$/,
      );
    },
    60_000,
  );

  it('nothing any more once the event loop stands still', async () => {
    using socket = notifySocket(path.join(folder, 'notify'));
    const env = { ...process.env, NOTIFY_SOCKET: path.join(folder, 'notify'), WATCHDOG_USEC: '200000' };
    const daemon = startReeve(['up', '-q', '-c', configure('')], { env });
    onTestFinished(() => void daemon.kill('SIGKILL'));
    const beats = () => socket.messages().filter((message) => 'WATCHDOG' in message).length;
    await eventually(() => beats() > 2, 30_000);
    daemon.kill('SIGSTOP');
    await eventually(() =>
      /^State:\s+T/m.test(execFileSync('cat', [`/proc/${daemon.pid}/status`], { encoding: 'utf8' })),
    );
    const then = beats();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(beats()).toBe(then);
  }, 60_000);

  it('is another main process, and lines stay one line', () => {
    const address = path.join(folder, 'notify');
    using socket = notifySocket(address);
    const manager = systemd({ NOTIFY_SOCKET: address, WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' })!;
    expect(manager.watchdog).toBeNull();
    manager.mainProcess(4711);
    manager.ready('a\nREADY=0');
    expect(socket.messages()).toEqual([{ MAINPID: '4711' }, { READY: '1', STATUS: 'a READY=0' }]);
    expect(systemd({ NOTIFY_SOCKET: 'vsock:2:1' })).toBeNull();
    expect(systemd({})).toBeNull();
    // Nobody listens there any more: no reason to fail.
    systemd({ NOTIFY_SOCKET: path.join(folder, 'gone') })!.ready('x');
  });
});

describe.runIf(needs('socket activation', 'linux'))('socket activation', () => {
  it('takes over sockets by name and by address, and leaves them open at its end', async () => {
    const target = createServer((socket) => socket.end('from the target')).listen(0, '127.0.0.1');
    await once(target, 'listening');
    onTestFinished(() => void target.close());
    const { binder } = createLinuxSystem();
    const open = () =>
      binder.listening({ protocol: 'tcp', address: '127.0.0.1', port: 0, reuse: true, v6only: false });
    const [web, other] = [await open(), await open()];
    onTestFinished(() => [web, other].forEach((socket) => void socket.close()));
    const ports = [web, other].map(({ fd }) => portOf(fd));
    const { port } = target.address() as { port: number };
    // `web` by its name though its address is another; `intake` by its address alone.
    const file = configure(`
listeners:
  web: { bind: ["127.0.0.1:1"], balance: { targets: ["127.0.0.1:${port}"] } }
  intake: { bind: ["127.0.0.1:${ports[1]}"], frame: line, sink: out }
sinks:
  out: { file: ./out.txt }
`);
    const script = 'LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:other exec "$@"';
    const daemon = spawn(
      '/bin/sh',
      ['-c', script, 'sh', process.execPath, reeveFile, 'up', '-q', '-c', file],
      {
        stdio: ['ignore', 'ignore', 'inherit', web.fd, other.fd],
        env: { ...process.env, REEVE_LOG_LEVEL: 'error' },
      },
    );
    onTestFinished(() => void daemon.kill('SIGKILL'));
    const exited = once(daemon, 'exit');
    expect(await answerOf(ports[0]!)).toBe('from the target');
    const status = await eventually(async () => {
      const { code, stdout } = await reeve(['--json', 'status', '-c', file]);
      return code === 0 ? (JSON.parse(stdout) as DaemonStatus) : null;
    }, 30_000);
    expect(status.listeners.map(({ binds }) => binds[0]!.address)).toEqual(
      ports.map((each) => `127.0.0.1:${each}`),
    );
    daemon.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    // systemd's own copy still listens: who comes now waits for the next start.
    for (const each of ports) {
      const waiting = connect(each, '127.0.0.1');
      await once(waiting, 'connect');
      waiting.destroy();
    }
  }, 60_000);
});

function portOf(fd: number): number {
  const sockaddr = new Uint8Array(28);
  checked('getsockname', libc.getsockname(fd, sockaddr, new Uint8Array([28, 0, 0, 0])));
  return decodeAddress(sockaddr)!.port;
}

async function answerOf(port: number): Promise<string> {
  let text = '';
  for await (const chunk of connect(port, '127.0.0.1').setEncoding('utf8')) text += chunk;
  return text;
}
