// Admission: each limit, its order, and books that free at zero.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission, type AdmissionConfig } from './admission.ts';

function make(limits: Partial<AdmissionConfig['limits']> = {}, allow?: string[], deny?: string[]) {
  const time = { now: 0 };
  const clock = { monotonic: () => time.now, wall: () => 0 };
  const config = configOf(limits, allow, deny);
  return { time, admission: new Admission(config, clock) };
}

function configOf(
  limits: Partial<AdmissionConfig['limits']>,
  allow?: string[],
  deny?: string[],
): AdmissionConfig {
  return {
    limits: { connections: 100, perClient: undefined, rate: undefined, clientRate: undefined, ...limits },
    allow,
    deny,
  };
}

describe('allow list', () => {
  it.each([
    ['10.1.2.3', null],
    ['::ffff:10.1.2.3', null],
    ['11.0.0.1', 'not-allowed'],
    ['::ffff:11.0.0.1', 'not-allowed'],
    ['192.0.2.7', null],
    ['192.0.2.8', 'not-allowed'],
    ['2001:db8::1', null],
    ['2001:db9::1', 'not-allowed'],
    ['::1', null],
    ['::2', 'not-allowed'],
    ['fe80::1%eth0', null],
    ['not an address', 'not-allowed'],
  ])('%s → %s', (address, expected) => {
    const { admission } = make({}, ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1', 'fe80::/10']);
    expect(admission.admit(address)).toBe(expected);
  });

  it('lets nobody in where it is empty, and everybody where there is none', () => {
    expect(make({}, []).admission.admit('127.0.0.1')).toBe('not-allowed');
    expect(make().admission.admit('127.0.0.1')).toBeNull();
  });
});

describe('deny list', () => {
  it('comes before the allow list, and follows an update', () => {
    const { admission } = make({}, ['10.0.0.0/8'], ['10.6.0.0/16', '::1']);
    expect(
      ['10.1.2.3', '10.6.2.3', '::ffff:10.6.2.3', '::1', '11.0.0.1'].map((a) => admission.admit(a)),
    ).toEqual([null, 'denied', 'denied', 'denied', 'not-allowed']);
    admission.update(configOf({}, ['10.0.0.0/8'], ['10.1.0.0/16']));
    expect(['10.1.2.3', '10.6.2.3'].map((a) => admission.admit(a))).toEqual(['denied', null]);
  });
});

describe('limits', () => {
  it('holds each client to its own rate, before the rate of all', () => {
    const rate = { count: 3, perMs: 1e9 };
    const { admission } = make({ clientRate: { count: 2, perMs: 1e9 }, rate });
    const ask = (client: string) => admission.admit(client);
    expect([ask('10.0.0.1'), ask('10.0.0.1'), ask('::ffff:10.0.0.1')]).toEqual([null, null, 'client-rate']);
    expect([ask('10.0.0.2'), ask('10.0.0.3')]).toEqual([null, 'rate']);
  });

  it('counts connections of one client in both of its notations', () => {
    const { admission } = make({ perClient: 2 });
    expect(admission.admit('10.0.0.1')).toBeNull();
    expect(admission.admit('::ffff:10.0.0.1')).toBeNull();
    expect(admission.admit('10.0.0.1')).toBe('per-client');
    expect(admission.admit('10.0.0.2')).toBeNull();
    admission.release('::ffff:10.0.0.1');
    expect(admission.admit('10.0.0.1')).toBeNull();
  });

  it('lets a burst through, then as many as come back with time', () => {
    const { admission, time } = make({ rate: { count: 2, perMs: 1000 } });
    const ask = () => admission.admit('10.0.0.1');
    expect([ask(), ask(), ask()]).toEqual([null, null, 'rate']);
    time.now = 499;
    expect(ask()).toBe('rate');
    time.now = 500;
    expect([ask(), ask()]).toEqual([null, 'rate']);
    time.now = 1e6;
    expect([ask(), ask(), ask()]).toEqual([null, null, 'rate']);
  });

  it('takes no token from the rate for a connection that is refused anyway', () => {
    const { admission } = make({ rate: { count: 1, perMs: 1e9 } }, ['10.0.0.1']);
    expect(admission.admit('10.0.0.2')).toBe('not-allowed');
    expect(admission.admit('10.0.0.1')).toBeNull();
  });

  it('applies an update to those who come from then on', () => {
    const { admission } = make({ connections: 1 });
    admission.admit('10.0.0.1');
    admission.update(configOf({ connections: 2, rate: { count: 1, perMs: 1e9 } }));
    expect(admission.admit('10.0.0.1')).toBeNull();
    admission.release('10.0.0.1');
    expect(admission.admit('10.0.0.1')).toBe('rate');
    admission.update(configOf({ connections: 2 }));
    expect(admission.admit('10.0.0.1')).toBeNull();
  });

  it('admits nobody while draining', () => {
    const { admission } = make();
    admission.drain();
    expect(admission.admit('10.0.0.1')).toBe('draining');
  });

  it('remembers exactly the clients that are inside, and never lets more in than the limits', () => {
    const step = fc.record({ come: fc.boolean(), client: fc.constantFrom('10.0.0.1', '10.0.0.2', '::1') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { admission } = make({ connections: 4, perClient: 2 });
        const inside: string[] = [];
        for (const { come, client } of steps) {
          if (come && admission.admit(client) === null) inside.push(client);
          else if (!come && inside.includes(client)) {
            inside.splice(inside.indexOf(client), 1);
            admission.release(client);
          }
          expect(admission.active).toBe(inside.length);
          expect(admission.clients).toBe(new Set(inside).size);
          expect(inside.length).toBeLessThanOrEqual(4);
          expect(inside.filter((one) => one === client).length).toBeLessThanOrEqual(2);
        }
      }),
    );
  });
});
