// What an instance is started with.
import path from 'node:path';
import { expect, test } from 'vitest';
import { launchOf } from './launch.ts';

const ports = { http: 20_001, 'grpc-internal': 20_002 };
const launch = (command: string[], env: Record<string, string> = {}, base: NodeJS.ProcessEnv = {}) =>
  launchOf({ command, env, cwd: undefined }, ports, base, '/srv/app');

test('{port} is the first port and {port.NAME} a named one, also inside a word', () => {
  const { program, args } = launch(['run', '--listen=:{port}', '{port.grpc-internal}', '{port.http}{port}']);
  expect(program).toBe('run');
  expect(args).toEqual(['--listen=:20001', '20002', '2000120001']);
});

test('a port that does not exist, and other braces, stay as they are', () => {
  expect(launch(['run', '{port.none}', '{ports}', '{port.}']).args).toEqual([
    '{port.none}',
    '{ports}',
    '{port.}',
  ]);
});

test('PORT is the first port, PORT_NAME each, whatever was inherited or configured', () => {
  const { env } = launch(['run'], { PORT: '1', COLOR: 'red' }, { PORT: '2', HOME: '/root', COLOR: 'blue' });
  expect(env).toEqual({
    HOME: '/root',
    COLOR: 'red',
    PORT: '20001',
    PORT_HTTP: '20001',
    PORT_GRPC_INTERNAL: '20002',
  });
});

test('what systemd or a user told reeve itself does not reach the service, unless it is given its own', () => {
  const base = {
    NOTIFY_SOCKET: '/run/x',
    LISTEN_FDS: '1',
    LISTEN_PID: '9',
    WATCHDOG_USEC: '3',
    JOURNAL_STREAM: '8:1',
    INVOCATION_ID: 'a',
    REEVE_DRAIN_DELAY: '5s',
    REEVE_STATE: '/srv/state',
    PATH: '/bin',
  };
  const { env } = launch(['run'], { LISTEN_ADDRESS: '::' }, base);
  expect(Object.keys(env).sort()).toEqual([
    'LISTEN_ADDRESS',
    'PATH',
    'PORT',
    'PORT_GRPC_INTERNAL',
    'PORT_HTTP',
    'REEVE_STATE',
  ]);
});

test('a relative folder begins at that of the configuration', () => {
  const cwd = (value: string | undefined) =>
    launchOf({ command: ['run'], env: {}, cwd: value }, ports, {}, '/srv/app').cwd;
  expect(cwd(undefined)).toBe(path.resolve('/srv/app'));
  expect(cwd('api')).toBe(path.resolve('/srv/app/api'));
  expect(cwd('/opt')).toBe(path.resolve('/opt'));
});
