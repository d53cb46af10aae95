// Ports in a row that nobody has, below the ephemeral range, for tests that must name ports.
import { selectSystem } from '../../src/system/select.ts';

/** The first of `count`. Chosen by chance, so that tests that run at the same time seldom meet. */
export async function freeRange(count: number): Promise<number> {
  const { binder } = await selectSystem();
  for (let tries = 0; tries < 100; tries++) {
    const first = 12_000 + Math.floor(Math.random() * (19_900 - 12_000 - count));
    let free = 0;
    while (free < count) {
      const request = { address: '::', port: first + free, reuse: false, v6only: false };
      const outcomes = [
        await binder.attempt({ ...request, protocol: 'tcp' }),
        await binder.attempt({ ...request, protocol: 'udp' }),
      ];
      if (!outcomes.every(({ ok }) => ok)) break;
      free++;
    }
    if (free === count) return first;
  }
  throw new Error(`no ${count} ports in a row are free`);
}
