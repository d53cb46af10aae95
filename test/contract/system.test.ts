// The contract of System over every implementation, each fallback of Linux forced once.
import { describe, expect, it } from 'vitest';
import { createLinuxSystem } from '../../src/system/linux/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { createUnsupportedSystem } from '../../src/system/unsupported/index.ts';
import { needs } from '../support/parts.ts';
import { systemContract } from './system.ts';

describe.runIf(needs('the System of Linux', 'linux'))('linux', () => {
  systemContract('linux', { create: () => createLinuxSystem(), knows: true });
  systemContract('linux without sock_diag, BPF and pidfd', {
    create: () => createLinuxSystem({ socketSource: 'procfs', holderSource: 'walk', noPidfd: true }),
    knows: true,
  });

  it('is what Linux gets', async () => {
    expect((await selectSystem()).platform).toBe('linux');
  });
});

systemContract('unsupported', { create: () => createUnsupportedSystem('plan9'), knows: false });
