// What the daemon keeps on disk: one daemon a state directory, private files, a token that opens.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { connectControl } from '../../src/daemon/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { house, start } from './daemon-support.ts';

const env = process.env;

test('a second daemon on the same state directory is refused, by the PID of the first', async () => {
  const home = house('');
  const daemon = await start(home);
  await expect(start(home)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(new RegExp(`PID ${process.pid}.*${daemon.address}`)),
  });
  await daemon.drainAndStop();
  await start(home);
});

test('the lock of a daemon that was killed is no obstacle', async () => {
  const home = house('');
  await start(home);
  const lock = path.join(home.folder, 'state/daemon.json');
  const live = JSON.parse(readFileSync(lock, 'utf8'));
  const other = house('');
  const child = await startNode('console.log(1); setInterval(() => {}, 1000)');
  const { processes } = await selectSystem();
  const identity = await processes.identify(child.pid);
  const stale = path.join(other.folder, 'state');
  mkdirSync(stale, { mode: 0o700 });
  writeFileSync(path.join(stale, 'daemon.json'), JSON.stringify({ ...identity, control: null }));
  await expect(start(other)).rejects.toMatchObject({ code: 'conflict' });
  // The same PID, started at another time: somebody else.
  writeFileSync(path.join(stale, 'daemon.json'), JSON.stringify({ ...live, start: '1', control: null }));
  const daemon = await start(other);
  expect(daemon.status().state).toBe('ready');
});

test.runIf(needs('modes of what the daemon writes', 'linux'))('token and state are private', async () => {
  const home = house('');
  await start(home);
  const mode = (name: string) => statSync(path.join(home.folder, name)).mode & 0o777;
  expect(mode('state')).toBe(0o700);
  expect(mode('state/token')).toBe(0o600);
  expect(mode('state/daemon.json')).toBe(0o600);
});

test('a token that others can read, or that is wrong, opens nothing', async () => {
  const home = house('');
  const daemon = await start(home);
  const file = path.join(home.folder, 'other-token');
  writeFileSync(file, 'x'.repeat(64), { mode: 0o600 });
  const control = await connectControl({ control: daemon.address, tokenFile: file, env });
  expect(await control.status()).toMatchObject({ state: 'ready' });
  await expect(control.stop()).rejects.toMatchObject({ code: 'unauthorized' });
  expect(daemon.status().state).toBe('ready');
  await expect(connectControl({ control: 'example.com:80', tokenFile: file, env })).rejects.toMatchObject({
    code: 'usage',
  });
});
