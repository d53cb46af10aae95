// The same text as the library's histogram gives for the same values.
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createListenerHistogram } from './listener-histogram.ts';

const bounds = [0.001, 0.01, 1, 60];

it('reads as the one of the library', async () => {
  const value = fc.oneof(fc.constantFrom(0, ...bounds), fc.double({ min: 0, max: 100, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('web', 'a "b"\n'), value)), async (values) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const own = createListenerHistogram('x_seconds', 'How long.', bounds, ours);
      const other = new Histogram({
        name: 'x_seconds',
        help: 'How long.',
        labelNames: ['listener'],
        buckets: bounds,
        registers: [theirs],
      });
      for (const [listener, seconds] of values) {
        own.observe(listener, seconds);
        other.observe({ listener }, seconds);
      }
      expect(await ours.metrics()).toBe(await theirs.metrics());
      own.forget('web');
      other.remove({ listener: 'web' });
      expect(await ours.metrics()).toBe(await theirs.metrics());
    }),
  );
});
