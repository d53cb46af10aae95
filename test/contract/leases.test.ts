// The contract of LeaseBook over SQLite, and over a real Consul agent.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { openLeaseBook } from '../../src/leases/index.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
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

describe.runIf(needs('the lease book in Consul', 'linux', 'ipv6', 'consul'))('leases in Consul', () => {
  let consul: ConsulAgent;
  let pools = 0;
  beforeAll(async () => {
    consul = await startConsul();
  });
  afterAll(() => consul[Symbol.asyncDispose]());
  leaseContract('Consul', async () => {
    pools += 1;
    const prefix = `test/pool-${pools}`;
    return {
      open: (settings) =>
        openLeaseBook({ ...settings, env: {}, consul: { address: consul.address, prefix } }),
      remove: async () => void (await consul.api(`/v1/kv/${prefix}?recurse`, { method: 'DELETE' })),
    };
  });
});
