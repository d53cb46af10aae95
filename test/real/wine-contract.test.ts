// The contract of System over that of Windows, by Node for Windows under Wine. What Windows has not, the contract names:
// zombies, ports held without listening, programs that handle SIGTERM.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled } from '../support/bundled.ts';
import { needs } from '../support/parts.ts';
import { Wine, windowsPath } from '../support/wine.ts';

describe.runIf(needs('the System of Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  beforeAll(async () => {
    wine = await Wine.create();
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  it('keeps the contract of System', async () => {
    const runner = path.join(import.meta.dirname, '../support/plain-runner.ts');
    const source = new URL('../fixtures/windows/contract.ts', import.meta.url);
    const file = windowsPath(await bundled(source, { vitest: runner }));
    // A program that this host starts has no parent in Wine.
    const run = wine.node([
      '-e',
      `require('node:child_process').spawnSync(process.execPath, [${JSON.stringify(file)}], { stdio: 'inherit' })`,
    ]);
    await run.exited;
    expect(run.stderr()).toBe('');
    const outcome: Record<string, string | null> = JSON.parse(run.stdout());
    expect(Object.entries(outcome).filter(([, failure]) => failure !== null)).toEqual([]);
    // None was passed over.
    expect(Object.keys(outcome).length).toBeGreaterThanOrEqual(25);
  });
});
