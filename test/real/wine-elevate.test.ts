// reeve --elevate: on Windows the helper under Wine, which grants what it is asked; here the command to copy.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled } from '../support/bundled.ts';
import { needs } from '../support/parts.ts';
import { nobody, publicCopy, reeve } from '../support/reeve.ts';
import { Wine, windowsPath } from '../support/wine.ts';

describe.runIf(needs('reeve --elevate on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  beforeAll(async () => {
    wine = await Wine.create();
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  it('runs a program by ShellExecuteEx, and gives its output and exit code back', async () => {
    const file = await bundled(new URL('../fixtures/windows/elevate.ts', import.meta.url));
    const helper = path.join(import.meta.dirname, '../../dist/elevated.js');
    const script = `console.log(process.argv.slice(1).join('|')); console.error('e'); process.exit(3)`;
    const { line: node } = await wine.script('console.log(process.execPath)');
    const run = wine.node([
      ...[windowsPath(file), windowsPath(helper), node],
      ...['-e', script, 'a b', 'c"d', 'e\\'],
    ]);
    expect({ code: await run.exited, stderr: run.stderr() }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(run.stdout())).toEqual({ code: 3, stdout: 'a b|c"d|e\\\n', stderr: 'e\n' });
  });
});

describe.runIf(needs('reeve --elevate without rights', 'root', 'linux'))('on Linux', () => {
  it('goes on by itself as root, and shows the sudo command to others', async () => {
    expect(await reeve(['--elevate', 'completion', 'bash'])).toMatchObject({ code: 0 });
    expect(await reeve(['--elevate', '-q'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--elevate needs a command'),
    });
    using copy = publicCopy();
    const { code, stdout, stderr } = await reeve(['--elevate', 'who', '3000'], {
      ...nobody,
      file: copy.file,
    });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(`→ sudo ${process.execPath} ${copy.file} who 3000`);
  });
});
