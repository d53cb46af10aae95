// The token file: made once, private, and refused when others can read it.
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needs } from '../../test/support/parts.ts';
import { ensureToken, readToken, sameToken } from './token.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reeve-token-'));
  file = path.join(folder, 'token');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a missing file is made with a new token, and kept from then on', async () => {
  const token = await ensureToken(file);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(await ensureToken(file)).toBe(token);
});

test.runIf(needs('the mode of the token file', 'linux'))('others may not read it', async () => {
  await ensureToken(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(file, mode);
    await expect(readToken(file)).rejects.toMatchObject({ code: 'config', hint: `chmod 600 ${file}` });
  }
});

test('a short or missing token is refused', async () => {
  writeFileSync(file, 'short', { mode: 0o600 });
  await expect(ensureToken(file)).rejects.toMatchObject({ code: 'config' });
  await expect(readToken(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'not-found' });
});

test('tokens are the same only when every character is', () => {
  expect(sameToken('abc', 'abc')).toBe(true);
  for (const other of ['', 'ab', 'abcd', 'abd', 'ABC']) expect(sameToken('abc', other)).toBe(false);
});
