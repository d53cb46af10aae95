// reeve run: the command's port, environment and exit code, and what is told of who listens.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { reeve, reeveFile } from '../support/reeve.ts';
import {
  askServer,
  lives,
  node,
  readyLine,
  server,
  startRun,
  temporaryFolder,
  untilReady,
  watched,
} from './run-support.ts';

describe.runIf(needs('reeve run', 'linux'))('reeve run', () => {
  it.each([
    ['its success', ['sh', '-c', 'exit 0'], { code: 0, signal: null }],
    ['its failure', ['sh', '-c', 'exit 7'], { code: 7, signal: null }],
    ['a signal that is passed on', ['sh', '-c', 'kill -TERM $$'], { code: null, signal: 'SIGTERM' }],
    ['a signal that only its number tells', ['sh', '-c', 'kill -KILL $$'], { code: 137, signal: null }],
    ['that there is no such program', ['reeve-no-such-program'], { code: 127, signal: null }],
    ['that it cannot be executed', ['/etc/passwd'], { code: 126, signal: null }],
  ] as const)('ends as the command does: %s', async (_, command, end) => {
    expect(await startRun(['--', ...command]).ended).toEqual(end);
  });

  it('gives the command its port, and nothing that was meant for reeve', async () => {
    const env = { LISTEN_FDS: '1', LISTEN_PID: '1', NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '1', PORT: '1' };
    const run = startRun(['my-api', '--', node, server, '{port}', 'at={port}'], { env });
    const { pid, port } = await untilReady(run);
    const told = await askServer(port);
    expect(told.pid).toBe(pid);
    expect(told.argv).toEqual([String(port), `at=${port}`]);
    expect(told.env).toMatchObject({ PORT: String(port), PORT_MY_API: String(port) });
    for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'NOTIFY_SOCKET', 'WATCHDOG_USEC']) {
      expect(told.env).not.toHaveProperty(name);
    }
    expect(run.text().match(new RegExp(readyLine, 'g'))).toHaveLength(1);
  });

  it('names the port after the project, and keeps it from run to run', async () => {
    const cwd = temporaryFolder();
    const env = { REEVE_LEASES: temporaryFolder() };
    writeFileSync(path.join(cwd, 'package.json'), '{ "name": "@shop/web" }');
    const ports: number[] = [];
    for (const _ of [1, 2]) {
      const run = startRun(['--', node, server], { cwd, env });
      const { port } = await untilReady(run);
      ports.push(port);
      expect((await askServer(port)).env).toHaveProperty('PORT__SHOP_WEB');
      run.child.kill('SIGTERM');
      await run.ended;
    }
    expect(ports[0]).toBe(ports[1]);
  });

  it('takes the port from a range', async () => {
    const run = startRun(['--range', '30120-30139', '--', 'sh', '-c', 'echo "port $PORT"']);
    await run.until(/^port 301[23]\d$/m);
  });

  it('finds the server in a process that the command started', async () => {
    const run = startRun(['--', 'sh', '-c', '"$0" "$1" & wait', node, server]);
    const { pid, port } = await untilReady(run);
    expect((await askServer(port)).pid).toBe(pid);
  });

  it('says what it ends when a script has left a server behind', async () => {
    const script = '"$0" "$1" & until [ -e "$2" ]; do sleep 0.05; done';
    const gate = path.join(temporaryFolder(), 'gate');
    const run = startRun(['--', 'sh', '-c', script, node, server, gate]);
    const { pid } = await untilReady(run);
    writeFileSync(gate, '');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.text()).toMatch(new RegExp(`what it left running is ended: .+\\(PID ${pid}\\)`));
    expect(lives(pid)).toBe(false);
  });

  it('says that its folder is gone', async () => {
    const folder = path.join(temporaryFolder(), 'gone');
    const line = `mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"`;
    const args = ['-c', line, folder, node, reeveFile, 'run', '--', 'true'];
    const run = watched(spawn('sh', args, { stdio: ['ignore', 'pipe', 'pipe'] }));
    expect(await run.ended).toEqual({ code: 2, signal: null });
    expect(run.text()).toContain('is not there any more');
  });

  it('says who has taken the port, and ends its own command and nobody else', async () => {
    const run = startRun(['--', 'sh', '-c', 'echo "port $PORT pid $$"; exec sleep 1000']);
    const [, port, pid] = await run.until(/port (\d+) pid (\d+)/);
    const stranger = createServer().listen(Number(port), '127.0.0.1');
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    expect(await run.ended).toEqual({ code: 1, signal: null });
    expect(run.text()).toContain(`port ${port} was taken by another program`);
    expect(run.text()).toContain(`(PID ${process.pid}) listens on 127.0.0.1:${port}`);
    expect(stranger.listening).toBe(true);
    expect(lives(Number(pid))).toBe(false);
  });

  it('says where the command listens instead, and passes connections on with --fix', async () => {
    const told = startRun(['--', node, server, '0']);
    await told.until(/\(PID \d+\) listens on 127\.0\.0\.1:\d+, not on \d+/);
    told.child.kill('SIGTERM');
    await told.ended;
    const fixed = startRun(['--fix', '--', node, server, '0']);
    const [, pid, port] = await fixed.until(/\(PID (\d+)\) listens on .+ comes to port (\d+) is passed on/);
    expect((await askServer(Number(port))).pid).toBe(Number(pid));
    // It listens on loopback alone, and so does what leads to it.
    const { stdout } = await reeve(['who', port!, '--json']);
    const { sockets } = JSON.parse(stdout) as { sockets: { address: string; state: string }[] };
    expect(sockets.map(({ address }) => address)).not.toContain('0.0.0.0');
    expect(sockets.map(({ address }) => address)).toContain('127.0.0.1');
    expect(sockets.filter(({ address, state }) => address === '::' && state === 'listen')).toEqual([]);
    fixed.child.kill('SIGTERM');
    expect(await fixed.ended).toEqual({ code: 9, signal: null });
  });

  it('passes the listening socket itself', async () => {
    const run = startRun(['--socket', '--host', '127.0.0.1', '--', node, server, 'fd3']);
    await run.until(/^listening$/m);
    const { pid, port } = await untilReady(run);
    const told = await askServer(port);
    expect(told).toMatchObject({
      pid,
      env: { LISTEN_FDS: '1', LISTEN_PID: String(pid), PORT: String(port) },
    });
  });

  it.each([
    ['reeve-no-such-program', 127, "there is no program 'reeve-no-such-program'"],
    ['/etc/passwd', 126, "'/etc/passwd' may not be executed"],
  ])('with a socket too, does not start again what cannot be started: %s', async (program, code, words) => {
    const run = startRun(['--socket', '--restart', '--', program]);
    expect(await run.ended).toEqual({ code, signal: null });
    expect(run.text()).toBe(`reeve: could not start: ${words}\n`);
  });

  it('starts it again when it fails, with another PID on the same port, until it is told to stop', async () => {
    const run = startRun(['--restart', '--', node, server]);
    const first = await untilReady(run);
    await fetch(`http://127.0.0.1:${first.port}/exit`).catch(() => {});
    await run.until(/starts again in \S+: exit code 3/);
    const [, pid, port] = await run.until(/starts again[\s\S]*ready: .+ \(PID (\d+)\) listens on \S+:(\d+)/);
    expect(Number(port)).toBe(first.port);
    expect(Number(pid)).not.toBe(first.pid);
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: 9, signal: null });
    expect(lives(Number(pid))).toBe(false);
  });

  it('does not start again what ended well', async () => {
    expect(await startRun(['--restart', '--', 'sh', '-c', 'exit 0']).ended).toEqual({
      code: 0,
      signal: null,
    });
  });

  it('waits for a URL before it starts', async () => {
    const gate = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    onTestFinished(() => void gate.close());
    await once(gate, 'listening');
    const { port } = gate.address() as { port: number };
    const open = startRun(['--wait-for', `tcp://127.0.0.1:${port}`, '--', 'echo', 'it ran']);
    expect(await open.ended).toEqual({ code: 0, signal: null });
    expect(open.text()).toContain('it ran');
    gate.close();
    await once(gate, 'close');
    const shut = startRun([
      '--wait-for',
      `tcp://127.0.0.1:${port}`,
      '--timeout',
      '300ms',
      '--',
      'echo',
      'ran',
    ]);
    expect(await shut.ended).toEqual({ code: 5, signal: null });
    expect(shut.text()).toMatch(/down.+127\.0\.0\.1/);
    expect(shut.text()).toContain('the command was not started');
    expect(shut.text()).not.toMatch(/^ran$/m);
    const listed = startRun([
      '--json',
      '--wait-for',
      `tcp://127.0.0.1:${port}`,
      '--timeout',
      '1500ms',
      '--',
      'true',
    ]);
    expect(await listed.ended).toEqual({ code: 5, signal: null });
    const lines = listed.text().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(['waiting', 'not-up']);
  });

  it('opens the page once it is ready, and leaves the browser open', async () => {
    const folder = temporaryFolder();
    const opener = path.join(folder, 'xdg-open');
    writeFileSync(
      opener,
      `#!/bin/sh\necho "$1" > "${folder}/url"\necho $$ > "${folder}/pid"\nexec sleep 60\n`,
    );
    chmodSync(opener, 0o755);
    const run = startRun(['--open', '--', node, server], { env: { PATH: `${folder}:${process.env.PATH}` } });
    const { port } = await untilReady(run);
    await eventually(
      () => existsSync(`${folder}/pid`) && readFileSync(`${folder}/pid`, 'utf8').endsWith('\n'),
    );
    const pid = Number(readFileSync(`${folder}/pid`, 'utf8'));
    onTestFinished(() => void process.kill(pid));
    expect(readFileSync(`${folder}/url`, 'utf8').trim()).toBe(`http://localhost:${port}`);
    run.child.kill('SIGTERM');
    await run.ended;
    expect(lives(pid)).toBe(true);
  });

  it('tells that nobody listens yet, and goes on', async () => {
    const run = startRun(['--timeout', '200ms', '--', 'sleep', '1000']);
    await run.until(/after \S+ nothing listens on port \d+/);
    expect(run.child.exitCode).toBeNull();
  });

  it('hints at parking in one line where the command failed before it listened', async () => {
    const parked = startRun(['--', 'sh', '-c', 'exit 1']);
    await parked.ended;
    expect(parked.text()).toMatch(/^reeve: .*--no-park\n$/);
    const free = startRun(['--no-park', '--', 'sh', '-c', 'exit 1']);
    await free.ended;
    expect(free.text()).toBe('');
  });

  it.each(['kill -PIPE $$', 'exit 130', 'exec reeve-no-such-program'])(
    'does not speak of parking where the end tells its own reason: %s',
    async (script) => {
      const run = startRun(['--', 'sh', '-c', script]);
      await run.ended;
      expect(run.text()).not.toContain('--no-park');
    },
  );

  it('says that the name has another port than before, and who has that one', async () => {
    const env = { REEVE_LEASES: temporaryFolder() };
    const first = startRun(['web', '--', 'sh', '-c', 'echo "port $PORT"'], { env });
    const [, port] = await first.until(/port (\d+)/);
    await first.ended;
    expect(first.text()).not.toContain('moved');
    const stranger = createServer().listen(Number(port), '127.0.0.1');
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    const strict = startRun(['web', '--strict', '--', 'echo', 'it ran'], { env });
    expect(await strict.ended).toEqual({ code: 1, signal: null });
    expect(strict.text()).toContain(`web cannot have its port again (${port})`);
    expect(strict.text()).not.toMatch(/^it ran$/m);
    const second = startRun(['web', '--', 'sh', '-c', 'echo "port $PORT"'], { env });
    await second.ended;
    expect(second.text()).toMatch(new RegExp(`moved web from port ${port} to \\d+: .*PID ${process.pid}`));
  });

  it('prints one JSON object a line with --json, and only what matters with --quiet', async () => {
    const json = startRun(['--json', '--', node, server]);
    const [line] = await json.until(/^\{.*"kind":"ready".*\}$/m);
    expect(JSON.parse(line)).toMatchObject({ kind: 'ready', listeners: [{ protocol: 'tcp' }] });
    const quiet = startRun(['-q', '--', node, server, '{port}', 'clean']);
    await quiet.until(/^listening$/m);
    quiet.child.kill('SIGTERM');
    await quiet.ended;
    expect(quiet.text()).toBe('listening\n');
  });

  it.each([
    [[], 'no command was given'],
    [['web'], 'no command was given'],
    [['a', 'b', '--', 'true'], 'one name is accepted'],
    [['a b', '--', 'true'], 'cannot name a lease'],
    [['node', 'server.js'], 'reeve run -- node server.js'],
    [['--host', '127.0.0.1', '--', 'true'], '--host is for --socket'],
  ])('refuses %j', async (args, words) => {
    const run = startRun(args as string[]);
    expect(await run.ended).toEqual({ code: 2, signal: null });
    expect(run.text()).toContain(words);
  });
});
