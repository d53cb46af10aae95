// The package as it is published: unpacked into somebody's project, with nothing there but what it says it depends on.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reeve, startReeve } from '../support/reeve.ts';
import { ask } from './daemon-support.ts';
import { freePort } from './daemon-talk.ts';

const root = path.join(import.meta.dirname, '../..');
let project: string;
let file: string;
let packed: { path: string }[];

beforeAll(() => {
  // CommonJS, as `npm init` makes it: what we ship must not count on the project's own package.json.
  project = mkdtempSync(path.join(tmpdir(), 'reeve-package-'));
  writeFileSync(path.join(project, 'package.json'), '{ "name": "somebody" }\n');
  const modules = path.join(project, 'node_modules');
  mkdirSync(path.join(modules, 'portreeve'), { recursive: true });
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', project];
  const [{ filename, files }] = JSON.parse(
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  packed = files;
  const target = path.join(modules, 'portreeve');
  execFileSync('tar', ['-xzf', path.join(project, filename), '-C', target, '--strip-components=1']);
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  );
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name), 'dir');
  }
  file = path.join(target, 'dist/reeve.cjs');
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

it('brings the program, the library with its types, the page, the schema, the manual and the examples, and no more', () => {
  const names = packed.map((each) => each.path);
  for (const name of [
    ...[
      'dist/reeve.cjs',
      'dist/look.cjs',
      'dist/command.cjs',
      'dist/daemon.cjs',
      'dist/index.js',
      'dist/types/index.d.ts',
    ],
    ...[
      'dist/web/index.html',
      'reeve.schema.json',
      'docs/reeve.1',
      'examples/quickstart/server.mjs',
      'LICENSE',
    ],
  ])
    expect(names).toContain(name);
  expect(names.filter((name) => /^(src|test|bench|scripts|web)\/|\.cache$|\.test\.ts$/.test(name))).toEqual(
    [],
  );
});

it('runs the quickstart from a copy, and its commands', async () => {
  const folder = path.join(project, 'quickstart');
  cpSync(path.join(project, 'node_modules/portreeve/examples/quickstart'), folder, { recursive: true });
  const [web, intake, control] = [await freePort(), await freePort(), await freePort()];
  const config = path.join(folder, 'reeve.yaml');
  const text = readFileSync(config, 'utf8')
    .replaceAll('7070', String(control))
    .replace('8080', String(web))
    .replace('9000', String(intake));
  writeFileSync(config, text);
  const daemon = startReeve(['up', '-c', config], { file });
  const ended = new Promise((resolve) => daemon.once('close', resolve));
  daemon.stdout!.resume();
  try {
    const waited = await reeve(['wait', `http://127.0.0.1:${web}/`, '--timeout', '30s'], { file });
    expect(waited.code).toBe(0);
    expect((await ask(`127.0.0.1:${web}`, '/')).text).toMatch(/^hello from port/);
    expect((await ask(`127.0.0.1:${control}`, '/metrics')).text).toContain('portreeve_connections_total');
    expect((await ask(`127.0.0.1:${control}`, '/')).text).toContain('<!doctype html>');
    const who = await reeve(['who', String(web)], { file });
    expect([who.code, who.stdout]).toEqual([0, expect.stringContaining(String(daemon.pid))]);
  } finally {
    await reeve(['down', '-c', config], { file });
    await ended;
  }
});

it('is a library, and its declarations hold for a strict reader', () => {
  const program = `
    import { who, lease, type Dialer } from 'portreeve';
    const port = await lease('web');
    const { sockets } = await who(String(port.port));
    export const found: number = sockets.length;
    export type Pool = Dialer;
    await port.release();
    console.log('found', found);
  `;
  writeFileSync(path.join(project, 'program.mts'), program);
  const options = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    strict: true,
  };
  writeFileSync(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...options, types: [] }, files: ['program.mts'] }),
  );
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', project], { stdio: ['ignore', 2, 2] });
  const env = { ...process.env, REEVE_LEASES: path.join(project, 'leases') };
  const run = [path.join(project, 'program.mjs')];
  expect(execFileSync(process.execPath, run, { encoding: 'utf8', env })).toMatch(/^found \d+\n$/);
});
