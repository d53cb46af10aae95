import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'web/src/**/*.test.ts', 'test/**/*.test.ts'],
    // Real processes and sockets: generous, since no test may pass or fail by time alone.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Where others share the machine (REEVE_RETRY): what passes only then is named at the end.
    retry: Number(process.env.REEVE_RETRY ?? 0),
    reporters: ['default', './test/support/honest-reporter.ts'],
  },
});
