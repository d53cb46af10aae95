// Rates of clients: exactly a token bucket for each, and no memory of those whose bucket is full.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClientRate } from './client-rate.ts';

const make = (count: number, perMs: number) => {
  const time = { now: 0 };
  const clock = { monotonic: () => time.now, wall: () => 0 };
  return { time, rate: new ClientRate({ count, perMs }, clock) };
};

it('is a bucket of tokens for each client', () => {
  const step = fc.record({
    after: fc.nat(40),
    client: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1'),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 80 }), (count, steps) => {
      const { time, rate } = make(count, count * 10);
      const tokens = new Map<string, { left: number; at: number }>();
      for (const { after, client } of steps) {
        time.now += after;
        const bucket = tokens.get(client) ?? { left: count, at: time.now };
        const left = Math.min(count, bucket.left + (time.now - bucket.at) / 10);
        const may = left >= 1 - 1e-6;
        tokens.set(client, { left: may ? left - 1 : left, at: time.now });
        expect(rate.take(client)).toBe(may);
      }
    }),
  );
});

it('counts a /64 as one client, forgets who has not come for long, and is bounded', () => {
  const { time, rate } = make(1, 1000);
  expect([rate.take('2001:db8::1'), rate.take('2001:db8::2'), rate.take('2001:db8:0:1::1')]).toEqual([
    true,
    false,
    true,
  ]);
  for (let i = 0; i < 70_000; i++) rate.take(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  expect(rate.clients).toBeLessThanOrEqual(65_536);
  time.now = 10_000;
  const before = rate.clients;
  for (let i = 0; i < 100; i++) rate.take(`11.0.0.${i}`);
  expect(rate.clients).toBeLessThan(before);
});
