// Overload: refused at nine tenths of the descriptors, counting those who came since the last look, and over again by itself.
import { expect, it } from 'vitest';
import { Admission } from './admission.ts';
import { Overload } from './overload.ts';

it('refuses from nine tenths on, also between two looks, and not any more once there is room', () => {
  const time = { now: 0 };
  const clock = { monotonic: () => time.now, wall: () => 0 };
  let open = 84;
  const overload = new Overload(clock, { limit: () => 100, open: () => open });
  const admission = new Admission({ limits: { connections: 1000 } as never }, clock, {
    overloaded: () => overload.exceeded(),
  });
  const ask = () => admission.admit('10.0.0.1');
  expect([ask(), ask(), ask(), ask()]).toEqual([null, null, null, 'overload']);
  expect(admission.active).toBe(3);
  open = 86;
  time.now = 250;
  expect([ask(), ask(), ask()]).toEqual([null, null, 'overload']);
  open = 10;
  time.now = 500;
  expect(ask()).toBeNull();
});

it('refuses nobody where the system does not tell', () => {
  const clock = { monotonic: () => 0, wall: () => 0 };
  expect(new Overload(clock, { limit: () => null, open: () => null }).exceeded()).toBe(false);
  expect(new Overload(clock, { limit: () => 1, open: () => null }).exceeded()).toBe(false);
});
