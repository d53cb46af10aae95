// Reloads and upgrades under load: no request fails and nothing is reset. REEVE_STORM=1000,20 runs the long form.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { needs } from '../support/parts.ts';

const [reloads = 50, upgrades = 2] = (process.env.REEVE_STORM ?? '50,2').split(',').map(Number);
const file = path.join(import.meta.dirname, '../../bench/reload/storm.mjs');

test.runIf(needs('reloads and upgrades under load', 'linux', 'openssl'))(
  `${reloads} reloads and ${upgrades} upgrades under load cost no request`,
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [file, `${reloads}`, `${upgrades}`]);
    const told = JSON.parse(stdout);
    expect(told.plain).toMatchObject({ failures: 0, examples: [] });
    expect(told.tls).toMatchObject({ failures: 0, examples: [] });
    expect(told).toMatchObject({
      reloads: { count: reloads },
      upgrades: { count: upgrades },
      engine: ['web: native', 'api: portable'],
      isAnother: upgrades > 0,
    });
    // The load was there: every short connection is one request.
    expect(told.plain.requests).toBeGreaterThan(500);
    expect(told.tls.requests).toBeGreaterThan(50);
  },
  60_000 + reloads * 2000 + upgrades * 60_000,
);
