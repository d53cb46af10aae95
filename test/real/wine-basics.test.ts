// The built command line on Windows, as far as Wine is Windows: it starts, probes, and loads its native packages.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/parts.ts';
import { Wine } from '../support/wine.ts';

describe.runIf(needs('reeve as a Windows program', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  beforeAll(async () => {
    wine = await Wine.create();
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  it('starts', async () => {
    expect(await wine.reeve(['--version'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  it('probes', async () => {
    const server = await wine.script(
      `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
    );
    const up = await wine.json(['check', `tcp://127.0.0.1:${server.line}`]);
    expect(up).toMatchObject({ results: [{ verdict: 'up' }] });
    const down = await wine.reeve(['check', 'tcp://127.0.0.1:1']);
    expect(down).toMatchObject({ code: 1, stdout: expect.stringContaining('refused') });
  });

  it('loads koffi and SQLite', async () => {
    const script = await wine.script(
      `const koffi = require('koffi');
       const pid = koffi.load('kernel32.dll').func('uint32_t __stdcall GetCurrentProcessId()')();
       const { DatabaseSync } = require('@photostructure/sqlite');
       const { sum } = new DatabaseSync(':memory:').prepare('select 1 + 1 as sum').get();
       console.log(pid === process.pid, sum);`,
    );
    expect(script.line).toBe('true 2');
  });
});
