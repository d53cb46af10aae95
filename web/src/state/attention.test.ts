// What needs attention and in which words, from the status as the daemon's schema has it.
import { describe, expect, test, vi } from 'vitest';
import { checkStatusSchema, targetSchema } from '../../../src/daemon/status.ts';
import { checkState, explainCheck } from './explain-check.ts';
import { issuesOf } from './issues.ts';
import { covering, subjectOf } from './maintenance.ts';
import { targetState } from './target-state.ts';
import type { CheckStatus, DaemonStatus, ListenerStatus, TargetStatus } from './types.ts';

// The language is read from the browser when its module is loaded.
vi.hoisted(() => {
  vi.stubGlobal('localStorage', { getItem: () => null });
  vi.stubGlobal('navigator', { language: 'en' });
});

const at = '2030-01-01T00:00:00.000Z';
const check = (some: Partial<CheckStatus>): CheckStatus =>
  checkStatusSchema.parse({
    ...{ name: 'disk', url: 'exec:./disk', verdict: 'up', degraded: false, flapping: false, held: null },
    ...{ ms: 3, reason: null, detail: null, checkedAt: at, since: at, nextAt: null, streak: 0 },
    ...{ fall: 3, rise: 2, timeout: 1000, interval: 5000 },
    ...some,
  });
const target = (some: Partial<TargetStatus>): TargetStatus =>
  targetSchema.parse({
    ...{ id: '10.0.0.5:80', instance: null, verdict: 'up', draining: false, weight: 1, effectiveWeight: 1 },
    ...{ backup: false, max: null, ejectedUntil: null, ejections: 0, failures: 0 },
    connections: { active: 0, total: 0 },
    ...some,
  });
const issues = (some: { checks?: CheckStatus[]; listeners?: object[]; registry?: string }) =>
  issuesOf({
    ...{ listeners: [], services: [], checks: [], sinks: [], ...some },
    registry: { state: some.registry ?? 'ok', detail: null },
  } as unknown as DaemonStatus).map(({ tone, text }) => `${tone} ${text}`);
const listener = (targets: TargetStatus[], panic = false): Partial<ListenerStatus> => ({
  ...{ name: 'web', binds: [], targets, panic, serves: 'targets' },
});

describe('a check', () => {
  test('that is up and degraded is amber, and says why', () => {
    const worn = check({ degraded: true, reason: 'warning', detail: 'degraded: 91% full' });
    expect(checkState(worn)).toBe('degraded');
    expect(explainCheck(worn, Date.parse(at))).toMatch(/got a warning\. It is up, and to be looked at\./);
    expect(issues({ checks: [worn] })).toEqual(['warn issue.check']);
  });

  test('that is down is not called degraded; one that flaps is named besides', () => {
    expect(checkState(check({ verdict: 'down', degraded: true }))).toBe('down');
    expect(issues({ checks: [check({ verdict: 'down', flapping: true })] })).toEqual([
      'down issue.check',
      'warn issue.flapping',
    ]);
    expect(issues({ checks: [check({})] })).toEqual([]);
  });
});

describe('targets', () => {
  test('an ejected one gets nothing; drained and down say more', () => {
    expect(targetState(target({ ejectedUntil: at }))).toBe('ejected');
    expect(targetState(target({ ejectedUntil: at, verdict: 'down' }))).toBe('down');
    expect(targetState(target({ ejectedUntil: at, draining: true }))).toBe('draining');
    const all = [target({ ejectedUntil: at }), target({ id: '10.0.0.6:80' })];
    expect(issues({ listeners: [listener(all)] })).toEqual(['warn issue.targetEjected']);
  });

  test('with none that can be used the listener has none, unless a panic uses all', () => {
    const all = [target({ ejectedUntil: at })];
    expect(issues({ listeners: [listener(all)] })).toEqual(['down issue.noTarget']);
    expect(issues({ listeners: [listener(all, true)] })).toEqual(['down issue.panic']);
  });
});

test('a registry that is being connected to is no fault, one that is away or refuses is', () => {
  const of = (registry: string) => issues({ registry });
  expect([of('ok'), of('connecting')]).toEqual([[], []]);
  expect([of('away'), of('refused')]).toEqual([['warn issue.registry'], ['warn issue.registry']]);
});

describe('maintenance', () => {
  test('of a service covers its instances, and nothing whose name only begins alike', () => {
    const all = [{ subject: 'service/app', until: at }];
    expect(covering('service/app/1', all)?.subject).toBe('service/app');
    expect(covering('service/app', all)?.subject).toBe('service/app');
    expect(covering('service/app-2/0', all)).toBeNull();
    expect(covering('check/app', all)).toBeNull();
  });

  test('orders name a fixed target by its listener, an instance by its service, and nobody else’s', () => {
    const services = [{ name: 'app', instances: [{ id: 'app/0' }] }] as unknown as DaemonStatus['services'];
    expect(subjectOf('web', target({}), services)).toBe('target/web/10.0.0.5:80');
    expect(subjectOf('web', target({ instance: 'app/0' }), services)).toBe('service/app/0');
    expect(subjectOf('web', target({ instance: 'elsewhere-1' }), services)).toBeNull();
  });
});

test('a listener of a service that nobody has is down; one of a sink or a handler needs no target', () => {
  const of = (serves: string) => issues({ listeners: [{ ...listener([]), serves }] });
  expect(of('service/nobody')).toEqual(['down issue.noTarget']);
  expect([...of('sink/events'), ...of('handler/echo.ts')]).toEqual([]);
});
