// Which ports are never leased, and how a range that gives too few is explained.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { browserBlocked, explainPool, type PoolRules, whyUnsuitable } from './lease-ports.ts';

const rules: PoolRules = {
  range: { first: 900, last: 40_000 },
  ephemeral: { first: 32_768, last: 60_999 },
  reserved: [{ first: 8080, last: 8080 }],
  excluded: [{ first: 5000, last: 5100 }],
  exclude: [{ first: 27_017, last: 27_017 }],
  unprivilegedFrom: 1024,
  mayBindPrivileged: false,
  http: true,
};

it.each([
  [20_000, null],
  [899, 'out-of-range'],
  [40_001, 'out-of-range'],
  [32_768, 'ephemeral'],
  [8080, 'reserved'],
  [5050, 'excluded'],
  [27_017, 'configured'],
  [1023, 'privileged'],
  [6000, 'browser-blocked'],
])('%i: %s', (port, reason) => {
  expect(whyUnsuitable(port, rules)).toBe(reason);
});

it('keeps browsers and privilege out of it where they do not matter', () => {
  expect(whyUnsuitable(6000, { ...rules, http: false })).toBeNull();
  expect(whyUnsuitable(1000, { ...rules, mayBindPrivileged: true })).toBeNull();
  expect(whyUnsuitable(40_000, { ...rules, ephemeral: null })).toBeNull();
});

it('counts every unsuitable port once', () => {
  const range = fc
    .tuple(fc.integer({ min: 1, max: 40_000 }), fc.nat(300))
    .map(([first, more]) => ({ first, last: first + more }));
  fc.assert(
    fc.property(range, (each) => {
      const own = { ...rules, range: each };
      let unsuitable = 0;
      for (let port = each.first; port <= each.last; port++) if (whyUnsuitable(port, own)) unsuitable++;
      const counts = [...explainPool(own).matchAll(/(?:^|, )(\d+) /g)].map(([, count]) => Number(count));
      expect(counts.reduce((a, b) => a + b, 0)).toBe(unsuitable);
    }),
    { numRuns: 50 },
  );
});

it('knows the ports of the Fetch standard that people meet', () => {
  for (const port of [1, 22, 25, 6000, 6667, 10_080]) expect(browserBlocked.has(port)).toBe(true);
  for (const port of [80, 443, 3000, 8080]) expect(browserBlocked.has(port)).toBe(false);
});
