// Names of leases: what is one, and what a project is called in each of its worktrees.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { assertLeaseName, projectName } from './name.ts';

let folder: string;
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'reeve-name-')), 'My Shop');
  mkdirSync(folder);
});
afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

it('is that of the nearest package.json, else of the folder', async () => {
  expect(await projectName(folder)).toBe('My-Shop');
  writeFileSync(path.join(folder, 'package.json'), '{"name":"@shop/web"}');
  mkdirSync(path.join(folder, 'src'));
  expect(await projectName(path.join(folder, 'src'))).toBe('@shop/web');
  for (const bad of ['{', '{"name":3}', '{"name":""}', 'null', '{"name":"\u001b[2J"}']) {
    writeFileSync(path.join(folder, 'package.json'), bad);
    assertLeaseName(await projectName(folder));
  }
});

it('differs from one git worktree to the next', async () => {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
  writeFileSync(path.join(folder, 'package.json'), '{"name":"shop"}');
  git('init');
  git('add', '.');
  git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-m', 'a');
  git('worktree', 'add', '../fix');
  mkdirSync(path.join(folder, '..', 'fix', 'deep'));
  expect(await projectName(folder)).toBe('shop');
  expect(await projectName(path.join(folder, '..', 'fix', 'deep'))).toBe('shop@fix');
});

it('differs where the letters that a name may not have differ, or only its far end does', async () => {
  const parent = path.dirname(folder);
  for (const pair of [
    ['日本', '中文'],
    ['größe', 'groeße'],
    [`${'x'.repeat(140)}1`, `${'x'.repeat(140)}2`],
  ] as const) {
    const [one, two] = await Promise.all(pair.map((name) => projectName(path.join(parent, name))));
    for (const name of [one!, two!]) assertLeaseName(name);
    expect(one).not.toBe(two);
  }
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'x'.repeat(140) }));
  const ofMain = await projectName(folder);
  writeFileSync(path.join(folder, '.git'), 'gitdir: /srv/shop/.git/worktrees/fix\n');
  expect(await projectName(folder)).not.toBe(ofMain);
});

it('is read past a byte order mark, and tells apart the worktrees that a submodule is in', async () => {
  writeFileSync(path.join(folder, 'package.json'), '\uFEFF{"name":"shop"}');
  expect(await projectName(folder)).toBe('shop');
  writeFileSync(path.join(folder, '.git'), 'gitdir: ../../main/.git/worktrees/fix/modules/libs/shop\n');
  expect(await projectName(folder)).toBe('shop@fix');
  writeFileSync(path.join(folder, '.git'), 'gitdir: ../.git/modules/shop\n');
  expect(await projectName(folder)).toBe('shop');
});

it('serves whatever the folder is called', async () => {
  const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(names, async (name) => {
      assertLeaseName(await projectName(`/nowhere/${name.replaceAll('\0', '')}`));
    }),
  );
});

it.each(['web', '@shop/web', 'web@fix', 'a.b_c-d', '0'])('accepts %j', (name) => {
  assertLeaseName(name);
});

it.each(['', ' ', 'a b', '-a', '.', '../x', 'a\n', '\u001b[2J', 'é', 'x'.repeat(129)])(
  'refuses %j',
  (name) => {
    expect(() => assertLeaseName(name)).toThrow(expect.objectContaining({ code: 'usage' }));
  },
);
