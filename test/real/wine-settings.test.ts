// What a service manager keeps of a service, asked by its own calls under Wine, which does not keep all.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled } from '../support/bundled.ts';
import { needs } from '../support/parts.ts';
import { Wine, windowsPath } from '../support/wine.ts';

const unknown = (...levels: number[]) => Object.fromEntries(levels.map((level) => [level, 'error 124']));

describe.runIf(needs('settings of services on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  beforeAll(async () => {
    wine = await Wine.create();
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  it('are kept', async () => {
    const file = await bundled(new URL('../fixtures/windows/service-settings.ts', import.meta.url));
    const run = wine.node([windowsPath(file)]);
    await run.exited;
    expect(run.stderr()).toBe('');
    expect(JSON.parse(run.stdout())).toEqual({
      // SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START.
      ...{ type: 0x10, start: 2, command: '"C:\\node.exe" "run"', displayName: 'Made' },
      account: 'NT SERVICE\\made',
      // The rest Wine 8 does not know (ERROR_INVALID_LEVEL): service-settings.test.ts reads the bytes.
      levels: { 1: 'made by a test: ä', ...unknown(2, 3, 4, 5), 7: 90_000 },
    });
  });
});
