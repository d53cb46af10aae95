// The client of the control API: finds the running daemon by its configuration and asks it.
import path from 'node:path';
import { loadControl } from '../config/index.ts';
import { isLoopback } from '../core/address.ts';
import { formatHostPort, parseEndpoint } from '../core/endpoint.ts';
import { errorMessage, ReeveError } from '../core/errors.ts';
import type { LeaseAuditRecord, LeaseRecord, WhoRecord, WhyRecord } from '../core/records.ts';
import type { Query } from '../registry/index.ts';
import { currentOwner, stateFolder } from '../store/index.ts';
import type { RecordedEvent } from './events.ts';
import type { HealthReport } from './health.ts';
import { readLock } from './lock.ts';
import type {
  DrainRequest,
  DrainResult,
  MaintainRequest,
  MaintainResult,
  ReloadResult,
  RestartRequest,
  RestartResult,
  ScaleRequest,
  ScaleResult,
  UpgradeRequest,
  UpgradeResult,
  WeightRequest,
  WeightResult,
} from './orders.ts';
import type { Problem } from './problem.ts';
import type { ConfigAnswer } from './routes/config.ts';
import type { HistoryAnswer } from './routes/history.ts';
import type { DaemonStatus } from './status.ts';
import { readToken } from './token.ts';

export interface ControlOptions {
  configFile?: string;
  /** `host:port`; by the configuration and the running daemon's lock file where absent. */
  control?: string;
  tokenFile?: string;
  env: NodeJS.ProcessEnv;
}

/** Each rejects with ReeveError: `not-found` where no daemon answers, else the daemon's own code. */
export interface Control {
  readonly address: string;
  status(signal?: AbortSignal): Promise<DaemonStatus>;
  reload(signal?: AbortSignal): Promise<ReloadResult>;
  /** Resolves when the daemon has taken the order; it drains after that. */
  stop(signal?: AbortSignal): Promise<void>;
  drain(request: DrainRequest, signal?: AbortSignal): Promise<DrainResult>;
  maintain(request: MaintainRequest, signal?: AbortSignal): Promise<MaintainResult>;
  weigh(request: WeightRequest, signal?: AbortSignal): Promise<WeightResult>;
  /** Resolves when the last instance is up again. */
  restart(request: RestartRequest, signal?: AbortSignal): Promise<RestartResult>;
  scale(request: ScaleRequest, signal?: AbortSignal): Promise<ScaleResult>;
  /** Whether every part does its work, and which does not. */
  health(signal?: AbortSignal): Promise<HealthReport>;
  /** As the function `who`, with the daemon's eyes: it may see more. */
  who(target?: string, signal?: AbortSignal): Promise<WhoRecord>;
  why(endpoint: string, signal?: AbortSignal): Promise<WhyRecord>;
  leases(signal?: AbortSignal): Promise<LeaseRecord>;
  audit(query?: { name?: string; limit?: number }, signal?: AbortSignal): Promise<LeaseAuditRecord>;
  /** The configuration in force, with secrets masked. */
  config(signal?: AbortSignal): Promise<ConfigAnswer>;
  /** Numbers over time: `listener/web`, `check/*`. */
  history(
    query: { series: string; range?: '10m' | '2h' | '24h' | '30d'; fields?: string[]; points?: number },
    signal?: AbortSignal,
  ): Promise<HistoryAnswer>;
  /** Resolves when another process has taken over. */
  upgrade(request: UpgradeRequest, signal?: AbortSignal): Promise<UpgradeResult>;
  /** What the registry has: of one service, or which there are. */
  find(query: Pick<Query, 'service' | 'tags' | 'all'> | null, signal?: AbortSignal): Promise<unknown>;
  /** Events after `since` (only new ones where absent), as they happen, until the signal aborts. */
  events(since: number | undefined, signal: AbortSignal): AsyncGenerator<RecordedEvent>;
}

/**
 * Milliseconds: an answer comes from memory, but a reload opens sockets and starts processes, and a restart waits
 * for each of up to 256 instances.
 */
const timeouts = { read: 5_000, look: 20_000, act: 60_000, poll: 25_000, roll: 3_600_000 };

export async function connectControl(options: ControlOptions): Promise<Control> {
  const { address, tokenFile } = await locate(options);
  const base = `http://${address}`;

  async function ask<T>(
    method: 'GET' | 'POST',
    route: string,
    ms: number,
    signal?: AbortSignal,
    body?: object,
  ): Promise<T> {
    const headers: Record<string, string> = {};
    if (method === 'POST') headers.authorization = `Bearer ${await readToken(tokenFile)}`;
    if (body) headers['content-type'] = 'application/json';
    const deadline = AbortSignal.timeout(ms);
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(`${base}${route === '/healthz' ? '' : '/api/v1'}${route}`, {
        method,
        headers,
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        ...(body && { body: JSON.stringify(body) }),
      });
      answer = await response.json();
    } catch (error) {
      if (signal?.aborted) throw new ReeveError('aborted', 'cancelled', { cause: error });
      if (deadline.aborted)
        throw new ReeveError('timeout', `the daemon on ${address} did not answer within ${ms / 1000} s`, {
          cause: error,
        });
      throw notRunning(address, error);
    }
    // A daemon that is not well says so in the same shape.
    if (!response.ok && !(route === '/healthz' && response.status === 503))
      throw refusal(answer as Partial<Problem>, response.status);
    return answer as T;
  }

  return {
    address,
    status: (signal) => ask('GET', '/status', timeouts.read, signal),
    reload: (signal) => ask('POST', '/reload', timeouts.act, signal),
    stop: async (signal) => void (await ask('POST', '/stop', timeouts.read, signal)),
    drain: (request, signal) => ask('POST', '/drain', timeouts.read, signal, request),
    maintain: (request, signal) => ask('POST', '/maintain', timeouts.read, signal, request),
    weigh: (request, signal) => ask('POST', '/weight', timeouts.read, signal, request),
    restart: (request, signal) => ask('POST', '/restart', timeouts.roll, signal, request),
    upgrade: (request, signal) =>
      ask('POST', '/upgrade', (request.timeoutMs ?? 60_000) + timeouts.act, signal, request),
    scale: (request, signal) => ask('POST', '/scale', timeouts.roll, signal, request),
    health: (signal) => ask('GET', '/healthz', timeouts.read, signal),
    who: (target, signal) => ask('GET', `/who${words({ target })}`, timeouts.look, signal),
    why: (endpoint, signal) => ask('GET', `/why${words({ endpoint })}`, timeouts.look, signal),
    leases: (signal) => ask('GET', '/leases', timeouts.read, signal),
    audit: (query = {}, signal) => ask('GET', `/leases/audit${words(query)}`, timeouts.read, signal),
    config: (signal) => ask('GET', '/config', timeouts.read, signal),
    history: ({ fields, ...query }, signal) =>
      ask('GET', `/history${words({ ...query, fields: fields?.join(',') })}`, timeouts.read, signal),
    find(query, signal) {
      if (!query) return ask('GET', '/registry/services', timeouts.read, signal);
      const words = new URLSearchParams((query.tags ?? []).map((tag): [string, string] => ['tag', tag]));
      if (query.all) words.set('all', '1');
      const route = `/registry/services/${encodeURIComponent(query.service)}?${words}`;
      return ask('GET', route, timeouts.read, signal);
    },
    async *events(since, signal) {
      type Batch = { events: RecordedEvent[]; last: number };
      let from = since ?? (await ask<Batch>('GET', '/events?since=0', timeouts.read, signal)).last;
      while (!signal.aborted) {
        const route = `/events?since=${from}&wait=${timeouts.poll / 1000 - 5}`;
        const batch = await ask<Batch>('GET', route, timeouts.poll, signal);
        from = batch.last;
        yield* batch.events;
      }
    },
  };
}

function words(query: Record<string, string | number | undefined>): string {
  const set = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return set.length > 0 ? `?${new URLSearchParams(set)}` : '';
}

async function locate({
  configFile,
  control,
  tokenFile,
  env,
}: ControlOptions): Promise<{ address: string; tokenFile: string }> {
  if (control !== undefined && tokenFile !== undefined) return { address: own(control), tokenFile };
  const { folder, ...config } = await loadControl(configFile, env);
  const state = stateFolder(config.state, folder, currentOwner(env));
  const lock = await readLock(state);
  const { host, port } = config.control.listen;
  const address = control ?? lock?.control ?? formatHostPort(host, port);
  const configured = config.control.tokenFile;
  return {
    address: own(address),
    tokenFile: tokenFile ?? (configured ? path.resolve(folder, configured) : path.join(state, 'token')),
  };
}

/** The token is sent there: only to this machine. */
function own(address: string): string {
  const { host, port } = parseEndpoint(address);
  if (host === 'localhost' || isLoopback(host)) return formatHostPort(host, port);
  throw new ReeveError('usage', `the control API is on this machine: '${host}' is not a loopback address`);
}

function notRunning(address: string, cause: unknown): ReeveError {
  const why = (cause as { cause?: unknown }).cause ?? cause;
  return new ReeveError('not-found', `no daemon answers on ${address} (${errorMessage(why)})`, {
    hint: 'Start it with: reeve up',
    cause,
  });
}

function refusal(answer: Partial<Problem>, status: number): ReeveError {
  const known = [
    'usage',
    'config',
    'privilege',
    'unauthorized',
    'not-found',
    'conflict',
    'unreachable',
    'timeout',
    'unsupported',
  ] as const;
  const code = known.find((name) => name === answer.code) ?? 'fault';
  return new ReeveError(
    code,
    String(answer.detail ?? `the daemon answered ${status}`),
    answer.hint ? { hint: String(answer.hint) } : {},
  );
}
