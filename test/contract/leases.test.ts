// The contract of LeaseBook over SQLite.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from 'vitest';
import { openLeaseBook } from '../../src/leases/index.ts';
import { needs } from '../support/parts.ts';
import { leaseContract } from './leases.ts';

describe.runIf(needs('the lease book', 'linux', 'ipv6'))('leases', () => {
  leaseContract('SQLite', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'reeve-leases-'));
    return {
      open: (settings) => openLeaseBook({ ...settings, env: {}, folder }),
      remove: async () => rmSync(folder, { recursive: true, force: true }),
    };
  });
});
