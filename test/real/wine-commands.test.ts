// Commands that are scripts, and settings that Windows does not have, under Wine.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/parts.ts';
import { Wine } from '../support/wine.ts';

describe.runIf(needs('scripts on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  let cwd: string;
  beforeAll(async () => {
    wine = await Wine.create();
    cwd = path.join(wine.prefix, 'drive_c', 'ProgramData');
    writeFileSync(path.join(cwd, 'tool.cmd'), '@echo off\r\necho port %PORT% %1 %2\r\nexit /b 6\r\n');
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  it('starts a script by its name, with its port and its words, and ends as it did', async () => {
    const { code, stdout, stderr } = await wine.reeve(['run', 'web', '--', 'tool', 'a & b', 'c|d'], { cwd });
    expect({ code, stderr }).toMatchObject({ code: 6 });
    expect(stdout).toMatch(/port \d+ "a & b" "c\|d"/);
  });

  it('refuses what a script could take for a command', async () => {
    const { code, stderr } = await wine.reeve(['run', 'web', '--', 'tool', '"&echo pwned&"'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('a script of cmd.exe takes no');
  });

  it('refuses limits.files in the configuration', async () => {
    writeFileSync(
      path.join(cwd, 'reeve.yaml'),
      'services:\n  a:\n    command: [node]\n    limits: { files: 1024 }\n',
    );
    const { code, stderr } = await wine.reeve(['up', '--check', '-c', 'C:\\ProgramData\\reeve.yaml'], {
      cwd,
    });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('Windows has no such limit'),
    });
  });
});
