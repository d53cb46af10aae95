// Where the state directory is, on each platform.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { needs } from '../../test/support/parts.ts';
import { openStateFolder, stateFolder } from './folder.ts';

test('the configured folder is relative to the configuration', () => {
  expect(stateFolder('./state', '/etc/reeve', { uid: 0, env: {} })).toBe(path.resolve('/etc/reeve/state'));
});

test('each kind of user has a default of its own', () => {
  const at = (uid: number | null, env: NodeJS.ProcessEnv) => stateFolder(undefined, '/x', { uid, env });
  expect(at(0, { XDG_STATE_HOME: '/elsewhere' })).toBe('/var/lib/portreeve');
  expect(at(1000, { XDG_STATE_HOME: '/home/a/state' })).toBe('/home/a/state/portreeve');
  // XDG Base Directory: relative paths are to be ignored.
  expect(at(1000, { XDG_STATE_HOME: 'state' })).toMatch(/\.local.state.portreeve$/);
  expect(at(0, { REEVE_STATE: '/srv/state' })).toBe('/srv/state');
  expect(at(0, { REEVE_STATE: 'state' })).toBe('/var/lib/portreeve');
  expect(at(null, { LOCALAPPDATA: 'C:/Local' })).toBe(path.join('C:/Local', 'portreeve'));
});

test.runIf(needs('the mode of the state directory', 'linux'))('it is made for this user alone', async () => {
  const base = mkdtempSync(path.join(tmpdir(), 'reeve-state-'));
  await openStateFolder(path.join(base, 'a', 'b'));
  expect(statSync(path.join(base, 'a', 'b')).mode & 0o777).toBe(0o700);
  writeFileSync(path.join(base, 'file'), '');
  await openStateFolder(path.join(base, 'a', 'b'));
  for (const folder of [path.join(base, 'file'), path.join(base, 'file', 'c'), '/proc/reeve/c']) {
    await expect(openStateFolder(folder)).rejects.toMatchObject({ name: 'ReeveError' });
  }
  rmSync(base, { recursive: true, force: true });
});
