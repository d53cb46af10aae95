// For the API's tests: the control API alone, over a status that is made up, with a real bus and real metrics.
import { afterEach } from 'vitest';
import { configSchema } from '../../src/config/index.ts';
import { silentLog, systemClock } from '../../src/core/context.ts';
import { ReeveError } from '../../src/core/errors.ts';
import { type Api, openApi } from '../../src/daemon/api.ts';
import { createEventBus, type EventBus } from '../../src/daemon/events.ts';
import { createRecorder } from '../../src/daemon/history/recorder.ts';
import { createMetrics, type Metrics } from '../../src/daemon/metrics/index.ts';
import type { DaemonStatus } from '../../src/daemon/status.ts';
import { selectSystem } from '../../src/system/select.ts';

export const token = 'b'.repeat(64);
export const authorization = `Bearer ${token}`;
export const status: DaemonStatus = {
  version: '1.2.3',
  registry: {
    ...{ kind: 'consul', address: 'http://127.0.0.1:8500', state: 'away', detail: 'no answer', failures: 3 },
    since: '2026-01-01T00:00:00.000Z',
    announced: [
      { id: 'api-1', service: 'api', port: 1, standing: 'pass', reason: 'up', inStep: false },
      { id: 'api-2', service: 'api', port: 2, standing: 'fail', reason: 'down', inStep: false },
    ],
    watches: [{ service: 'db', instances: 2, asOf: null, stale: 'no answer' }],
  },
  pid: 1,
  state: 'ready',
  startedAt: '2026-01-01T00:00:00.000Z',
  configFile: '/x/<script>alert(1)</script>.yaml',
  control: '127.0.0.1:7070',
  listeners: [
    {
      name: 'web',
      engine: 'portable',
      engineReason: 'relay.engine is portable',
      certificates: [],
      serves: 'service/api',
      binds: [{ asked: '[::]:8080', address: '[::]:8081', listening: true, verified: true }],
      connections: { active: 1, total: 5 },
      bytes: { received: 10, sent: 20 },
      datagrams: null,
      refused: { rate: 2 },
      ended: { done: 3, idle: 1, 'connect-failed': 1 },
      handler: null,
      latency: { connect: { p50: 0.2, p99: 1 }, duration: { p50: 12, p99: 40 } },
      panic: false,
      waiting: 0,
      targets: [
        {
          id: '127.0.0.1:20000',
          instance: 'api/0',
          verdict: 'up',
          draining: false,
          weight: 1,
          effectiveWeight: 1,
          backup: false,
          max: null,
          ejectedUntil: null,
          ejections: 0,
          connections: { active: 1, total: 5 },
          failures: 1,
        },
      ],
    },
  ],
  services: [
    {
      name: 'api',
      configured: 1,
      restarts: { exit: 1 },
      instances: [
        {
          id: 'api/0',
          state: 'up',
          pid: 2,
          ports: { http: 20000 },
          restarts: 1,
          startedAt: null,
          nextStartAt: null,
          detail: null,
          history: [{ at: '2026-01-01T00:00:00.000Z', reason: 'exit', detail: 'exit code 1' }],
        },
      ],
    },
  ],
  checks: [
    {
      name: 'db',
      url: 'tcp://127.0.0.1:1',
      verdict: 'up',
      degraded: false,
      flapping: false,
      held: null,
      ms: 1,
      reason: null,
      detail: null,
      checkedAt: null,
      since: '2026-01-01T00:00:00.000Z',
      nextAt: null,
      ...{ streak: 0, fall: 3, rise: 2, timeout: 3000, interval: 5000 },
    },
  ],
  sinks: [
    {
      ...{ name: 'events', kind: 'file', failure: null, note: null, accepted: 2, delivered: 2, bytes: 30 },
      ...{ spooled: 0, failures: 0, dropped: {} },
    },
  ],
  relayWorkers: [],
  maintenance: [],
  gateway: null,
};

export interface ApiFixture {
  api: Api;
  events: EventBus;
  metrics: Metrics;
  /** What the API was told to do. */
  done: string[];
  /** What it shows. */
  current: DaemonStatus;
  /** Emits an event and returns its id. */
  emit(message: string): number;
}

const open: ApiFixture[] = [];
afterEach(async () => {
  for (const { api, metrics } of open.splice(0)) {
    await api.close();
    metrics.close();
  }
});

export async function openFixture(): Promise<ApiFixture> {
  const events = createEventBus(systemClock);
  const metrics = createMetrics('1.2.3');
  const nothing = { added: [], removed: [], changed: [] };
  const fixture: Omit<ApiFixture, 'api'> = {
    events,
    metrics,
    done: [],
    current: status,
    emit: (message) => events.emit({ kind: 'daemon', subject: 'daemon', message, detail: {} }).id,
  };
  const api = await openApi({
    host: '127.0.0.1',
    port: 0,
    token,
    log: silentLog,
    events,
    metrics,
    status: () => fixture.current,
    reload: async () => ({
      changes: false,
      services: nothing,
      listeners: nothing,
      sinks: nothing,
      checks: nothing,
      ports: false,
      restart: [],
    }),
    upgrade: async ({ deadlineMs = 0 }) => ({
      before: { pid: 1, version: 'test' },
      after: { pid: 2 },
      ...{ control: 'x', ms: 0, connections: 0, deadlineMs },
    }),
    leave: () => void fixture.done.push('leave'),
    drain: ({ target }) => ({ targets: [target] }),
    maintain: ({ name }) => ({ subject: `check/${name}`, maintenance: [] }),
    probe: async () => 'probe_success 1\n',
    weigh: ({ target }) => ({ targets: [target] }),
    restart: async ({ service, instance }) => ({ restarted: [`${service}/${instance ?? 'all'}`] }),
    scale: async ({ service, instances }) => ({ service, before: 1, instances, configured: 1 }),
    find: async (query) => ({ asked: query }),
    tokenFile: '/x/token',
    recorder: createRecorder({
      ...{ clock: systemClock, log: silentLog, rings: null },
      status: () => fixture.current,
      usage: () => new Map(),
    }),
    system: await selectSystem(),
    config: () => ({
      ...{ file: '/x/reeve.yaml', loadedAt: status.startedAt, lastReload: null },
      config: configSchema.parse({}),
    }),
    leases: () => Promise.reject(new ReeveError('unsupported', 'no leases here')),
    stop: () => fixture.done.push('stop'),
  });
  const whole = Object.assign(fixture, { api });
  open.push(whole);
  return whole;
}
