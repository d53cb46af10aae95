import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'web/src/**/*.test.ts', 'test/**/*.test.ts'],
    // Real processes and sockets: generous, since no test may pass or fail by time alone.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most files wait for processes and sockets: one more than there are processors, where Vitest would take one less.
    maxWorkers: Math.min(availableParallelism() + 1, 8),
    // Where others share the machine (REEVE_RETRY): what passes only then is named at the end.
    retry: Number(process.env.REEVE_RETRY ?? 0),
    reporters: ['default', './test/support/honest-reporter.ts'],
  },
});
