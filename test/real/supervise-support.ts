// A supervised service for tests: real processes, short delays, and every event kept.
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { ServiceConfig } from '../../src/config/index.ts';
import { type Clock, type ReeveEvent, silentLog, systemClock } from '../../src/core/context.ts';
import { createScheduler } from '../../src/health/index.ts';
import {
  createSight,
  createTrees,
  type InstanceStatus,
  type PortSource,
  type Service,
  type StartGate,
  superviseService,
} from '../../src/supervise/index.ts';
import { selectSystem } from '../../src/system/select.ts';

const system = await selectSystem();

export const program = fileURLToPath(new URL('../fixtures/services/server.mjs', import.meta.url));

export function serviceConfig(switches: string[] = [], changes: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    command: [process.execPath, program, ...switches],
    cwd: undefined,
    env: {},
    instances: 1,
    ports: { http: 'auto' },
    check: {
      http: '/',
      tcp: undefined,
      port: undefined,
      grpc: undefined,
      exec: undefined,
      interval: 200,
      timeout: 5000,
      fall: 2,
      rise: 1,
      fastInterval: 50,
      initial: 'unknown',
      onDown: [],
      onUp: [],
      flap: { count: 6, perMs: 600_000 },
    },
    restart: { backoff: { min: 20, max: 100 }, limit: { count: 1000, perMs: 60_000 } },
    stop: { signal: 'SIGTERM', timeout: 10_000, drain: 5000 },
    user: undefined,
    limits: {},
    oneshot: false,
    dependsOn: {},
    park: true,
    verify: true,
    logs: { encoding: 'auto', echo: true, rotate: { size: 10_000_000, keep: 5 } },
    register: undefined,
    ...changes,
  };
}

export interface Supervised {
  service: Service;
  events: ReeveEvent[];
  lines: string[];
  taken: Set<number>;
  first(): InstanceStatus;
  /** Resolves in the turn in which it becomes true. */
  until(what: string, condition: (instances: InstanceStatus[]) => boolean): Promise<void>;
  allUp(count: number): Promise<void>;
}

/** Stopped at the end of the test. */
export function supervised(
  config: ServiceConfig,
  options: {
    env?: NodeJS.ProcessEnv;
    logs?: string;
    gate?: StartGate;
    unused?: (instance: string, signal: AbortSignal) => Promise<void>;
    clock?: Clock;
    memoryKills?: () => number;
  } = {},
): Supervised {
  const events: ReeveEvent[] = [];
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const look = () => {
    for (const listener of [...listeners]) listener();
  };
  const context = {
    clock: options.clock ?? systemClock,
    random: Math.random,
    log: {
      ...silentLog,
      info(_: object, line = '') {
        lines.push(line);
        look();
      },
    },
    emit: (event: ReeveEvent) => void events.push(event),
  };
  const scheduler = createScheduler(context);
  const taken = new Set<number>();
  const service = superviseService('api', config, {
    context,
    scheduler,
    ports: leasesOf(taken),
    sight: createSight(system, context.log),
    trees: createTrees(system, null, context.log),
    ...(options.memoryKills && { memoryKills: options.memoryKills }),
    gate: options.gate ?? { blockedBy: () => null, onChange: () => () => {} },
    logs: options.logs ?? null,
    unused: options.unused ?? (async () => {}),
    folder: import.meta.dirname,
    env: options.env ?? process.env,
  });
  service.onChange(look);
  onTestFinished(async () => {
    await service.stop();
    scheduler.stop();
  });
  const until: Supervised['until'] = (what, condition) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = JSON.stringify({ instances: service.instances(), events, lines }, null, 1);
        reject(new Error(`waited in vain until ${what}: ${seen}`));
      }, 30_000);
      const check = () => {
        if (!condition(service.instances())) return;
        clearTimeout(timer);
        listeners.delete(check);
        resolve();
      };
      listeners.add(check);
      check();
    });
  return {
    service,
    events,
    lines,
    taken,
    first: () => service.instances()[0]!,
    until,
    allUp: (count) =>
      until(`${count} are up`, (all) => all.length === count && all.every(({ state }) => state === 'up')),
  };
}

/** Really parked, as by the daemon; only the book is missing. */
function leasesOf(taken: Set<number>): PortSource {
  return {
    async lease() {
      const port = await freePort();
      if (taken.has(port)) return this.lease('again');
      taken.add(port);
      let parked: { release(): void } | null = null;
      const unpark = () => {
        parked?.release();
        parked = null;
      };
      return {
        port,
        isLost: false,
        async park() {
          parked ??= await system.binder.park(port).catch(() => null);
        },
        unpark,
        bound() {},
        async release() {
          unpark();
          taken.delete(port);
        },
      };
    },
  };
}

/** Below the ephemeral ports: there an outgoing connection might take a port between two starts. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    server.once('error', () => resolve(freePort()));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** An orphan is reaped by the system's first process, a moment after its end. */
export async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
