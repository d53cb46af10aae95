// Announces one service for as long as a program runs, without a daemon: a registry, and a check that feeds it.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Context } from '../core/context.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import { createScheduler } from '../health/index.ts';
import { openRegistry, type RegistryStatus } from '../registry/index.ts';

export interface AnnounceOptions {
  port: number;
  /** Further ports, by name. */
  ports?: Record<string, number>;
  /** Where others reach it. Default: the address of Consul's node. */
  address?: string;
  tags?: string[];
  meta?: Record<string, string>;
  /** What is probed. Default: whether the port accepts connections on this machine. */
  check?: string;
  /** Address of Consul. Default: `REEVE_REGISTRY`, `CONSUL_HTTP_ADDR`, else the agent of this machine. */
  registry?: string;
}

export interface Announcement {
  readonly id: string;
  readonly verdict: HealthVerdict;
  status(): RegistryStatus;
  withdraw(): Promise<void>;
}

const timing = { interval: 5000, timeout: 3000, fall: 3, rise: 2, fastInterval: 1000 };
/** Milliseconds that a server gets to begin to listen: looked at often until then. */
const graceMs = 60_000;
const namePattern = /^[A-Za-z0-9_-]{1,63}$/;

/** @throws ReeveError `usage` for a name, a port or a check that is none. */
export function announceService(
  service: string,
  options: AnnounceOptions,
  env: NodeJS.ProcessEnv,
  context: Context,
): Announcement {
  const { port, ports = {}, address = null, tags = [], meta = {} } = options;
  if (!namePattern.test(service))
    throw new ReeveError(
      'usage',
      `'${service}' cannot name a service: letters, digits, - and _ serve, at most 63`,
    );
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ReeveError('usage', `${port} is not a port: a port is a whole number from 1 to 65535`);
  const registry = openRegistry(options.registry, env, context);
  const scheduler = createScheduler(context);
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '-');
  // Several may announce one port from containers of one host: each is an instance of its own.
  const id = `${service}-${host}-${port}-${randomUUID().slice(0, 8)}`;
  const url = options.check ?? `tcp://${formatHostPort(address ?? '127.0.0.1', port)}`;
  try {
    const announced = registry.announce({ service, id, address, port, ports, tags, meta, check: null });
    const check = scheduler.add({
      ...{ name: `service/${service}`, url, timing, graceMs, emits: true },
      onResult({ state, summary }) {
        if (state.verdict === 'up') announced.report('pass', summary);
        else if (state.verdict === 'down') announced.report('fail', summary);
      },
    });
    return {
      id,
      get verdict() {
        return check.state.verdict;
      },
      status: () => registry.status(),
      async withdraw() {
        scheduler.stop();
        await registry.close();
      },
    };
  } catch (error) {
    void registry.close();
    throw error;
  }
}
