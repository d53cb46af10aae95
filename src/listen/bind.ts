// Binds an endpoint under its conflict policy: fail, retry, take the next port, or evict the holder.
import type { ConflictConfig } from '../config/index.ts';
import { backoffDelay } from '../core/backoff.ts';
import type { Context } from '../core/context.ts';
import { type Endpoint, formatEndpoint, formatHostPort, maxPort } from '../core/endpoint.ts';
import { errorCode, errorMessage, isReeveError, ReeveError } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import { abortError, sleep } from '../core/time.ts';
import type { Binding, DatagramBinding } from './binding.ts';
import { hearOn } from './datagrams.ts';
import { type BindOptions, listenOn } from './server.ts';

export interface ListenRequest {
  /** The listener's name, for events. */
  name: string;
  endpoint: Endpoint;
  v6only: boolean;
  backlog: number;
  conflict: ConflictConfig;
}

/** What binding needs from others. Both are given by the daemon, which knows the ports' verbs. */
export interface BindTools {
  context: Context;
  /** A socket that the service manager has opened for this listener: it is given once. */
  inherited?(listener: string, endpoint: Endpoint): number | null;
  /** One line: who holds it, or why it cannot be bound. */
  explain(endpoint: Endpoint): Promise<string>;
  /** Ends the holder if its name is in `allow`; rejects where it may not or cannot. */
  evict(endpoint: Endpoint, allow: string[], signal: AbortSignal): Promise<void>;
}

// Short at first, since a predecessor is often just on its way out; then patient.
const retryDelays = { min: 100, max: 2000 };
const explainTimeoutMs = 5000;

/**
 * Listens, and settles a conflict as the policy says. Only EADDRINUSE is a conflict: EACCES and the rest fail at once,
 * except that `retry` also waits for an address that the machine does not have yet (EADDRNOTAVAIL).
 * Rejects with `conflict`, `privilege`, `config`, `unknown`, or `aborted`.
 */
export function openListener(
  request: ListenRequest,
  tools: BindTools,
  signal: AbortSignal,
): Promise<Binding> {
  return settle(new Attempt(request, listenOn, tools, signal));
}

/** The same for UDP: the conflict is that of a bind alone. */
export function openDatagrams(
  request: ListenRequest,
  tools: BindTools,
  signal: AbortSignal,
): Promise<DatagramBinding> {
  return settle(new Attempt(request, hearOn, tools, signal));
}

async function settle<Bound extends { port: number }>(attempt: Attempt<Bound>): Promise<Bound> {
  const { request } = attempt;
  try {
    return await attempt.listen(request.endpoint);
  } catch (error) {
    if (!attempt.mayGoOn(error)) throw await attempt.describe(error);
    const holder = await attempt.explain();
    attempt.tell(`${formatEndpoint(request.endpoint)} cannot be bound: ${holder}`, {
      policy: request.conflict.policy,
      code: errorCode(error),
    });
    if (request.conflict.policy === 'next') return await attempt.nextPort(error);
    return await attempt.persist(error);
  }
}

type Bind<Bound> = (options: BindOptions, context: Context) => Promise<Bound>;

class Attempt<Bound extends { port: number }> {
  readonly request: ListenRequest;
  private readonly bind: Bind<Bound>;
  private readonly tools: BindTools;
  private readonly signal: AbortSignal;

  constructor(request: ListenRequest, bind: Bind<Bound>, tools: BindTools, signal: AbortSignal) {
    this.request = request;
    this.bind = bind;
    this.tools = tools;
    this.signal = signal;
  }

  async listen(endpoint: Endpoint): Promise<Bound> {
    if (this.signal.aborted) throw abortError(this.signal);
    const { name, v6only, backlog } = this.request;
    const { context } = this.tools;
    try {
      const fd = this.tools.inherited?.(name, endpoint) ?? undefined;
      return await this.bind({ name, endpoint, v6only, backlog, fd }, context);
    } catch (error) {
      const code = errorCode(error);
      // `::` without IPv6: no such family (ipv6.disable=1), or no such address (the sysctl disable_ipv6).
      const noIpv6 = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
      if (endpoint.host !== '::' || v6only || !noIpv6) throw error;
      const bound = await this.bind(
        { name, endpoint: { ...endpoint, host: '0.0.0.0' }, v6only, backlog },
        context,
      );
      context.emit({
        kind: 'listener',
        subject: `listener/${name}`,
        message: `this machine has no IPv6 (${code}): listening on 0.0.0.0:${bound.port} instead of [::]`,
        detail: { endpoint: formatEndpoint(endpoint), code },
      });
      return bound;
    }
  }

  mayGoOn(error: unknown): boolean {
    const { policy } = this.request.conflict;
    const code = errorCode(error);
    if (code === 'EADDRINUSE') return policy !== 'fail';
    return code === 'EADDRNOTAVAIL' && policy === 'retry';
  }

  /** Tries again, after evicting where that is the policy, until `for` is over. */
  async persist(first: unknown): Promise<Bound> {
    const { endpoint, conflict } = this.request;
    const { clock, random } = this.tools.context;
    const start = clock.monotonic();
    let error = first;
    for (let tries = 1; clock.monotonic() - start < conflict.for; tries++) {
      if (conflict.policy === 'evict') await this.evict();
      else {
        const left = conflict.for - (clock.monotonic() - start);
        await sleep(Math.min(left, backoffDelay(retryDelays, tries - 1, random)), this.signal);
      }
      try {
        const bound = await this.listen(endpoint);
        const after = formatDuration(clock.monotonic() - start);
        this.tell(`${formatEndpoint(endpoint)} bound after ${after}`, { tries });
        return bound;
      } catch (next) {
        error = next;
        if (!this.mayGoOn(error)) throw await this.describe(error);
      }
      // A holder that was ended and is back at once is being restarted by somebody: do not spin on it.
      if (conflict.policy === 'evict') await sleep(backoffDelay(retryDelays, tries - 1, random), this.signal);
    }
    throw await this.describe(error, `, after trying for ${formatDuration(conflict.for)}`);
  }

  private async evict(): Promise<void> {
    const { endpoint, conflict } = this.request;
    try {
      await this.tools.evict(endpoint, conflict.allowEvict, this.signal);
    } catch (error) {
      if (this.signal.aborted) throw abortError(this.signal);
      throw new ReeveError(
        isReeveError(error) ? error.code : 'conflict',
        `cannot listen on ${formatEndpoint(endpoint)}, and its holder was not evicted: ${errorMessage(error)}`,
        { cause: error, ...(isReeveError(error) && error.hint ? { hint: error.hint } : {}) },
      );
    }
  }

  async nextPort(first: unknown): Promise<Bound> {
    const { endpoint, conflict } = this.request;
    const last = Math.min(endpoint.port + conflict.tries, maxPort);
    let error = first;
    for (let port = endpoint.port + 1; port <= last; port++) {
      try {
        const bound = await this.listen({ ...endpoint, port });
        this.tell(`took ${formatHostPort(endpoint.host, port)} instead of port ${endpoint.port}`, { port });
        return bound;
      } catch (next) {
        error = next;
        if (!this.mayGoOn(error)) throw await this.describe(error);
      }
    }
    throw await this.describe(error, `, nor on any port up to ${last}`);
  }

  tell(message: string, detail: Record<string, unknown>): void {
    const { name, endpoint } = this.request;
    this.tools.context.emit({
      kind: 'conflict',
      subject: `listener/${name}`,
      message,
      detail: { endpoint: formatEndpoint(endpoint), ...detail },
    });
  }

  /** Never fails and never hangs: a conflict must be reported even when nobody can say whose it is. */
  async explain(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('the holder could not be found in time'), explainTimeoutMs);
    });
    const asked = Promise.resolve(this.tools.explain(this.request.endpoint)).catch(
      (error) => `the holder could not be found: ${errorMessage(error)}`,
    );
    return await Promise.race([asked, late]).finally(() => clearTimeout(timer));
  }

  async describe(error: unknown, more = ''): Promise<unknown> {
    if (isReeveError(error)) return error;
    const where = formatEndpoint(this.request.endpoint);
    const code = errorCode(error);
    const what = `cannot listen on ${where}${more}`;
    if (code === 'EADDRINUSE') {
      const holder = await this.explain();
      this.tell(`${what}: ${holder}`, { policy: this.request.conflict.policy, code });
      return new ReeveError('conflict', `${what}: ${holder}`, {
        cause: error,
        hint: `See \`reeve why ${shortForm(this.request.endpoint)}\`, or set conflict.policy to retry, next or evict`,
      });
    }
    if (code === 'EACCES' || code === 'EPERM') {
      return new ReeveError('privilege', `${what} (${code}): ${await this.explain()}`, { cause: error });
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAFNOSUPPORT') {
      return new ReeveError('config', `${what} (${code}): this machine does not have that address`, {
        cause: error,
      });
    }
    return new ReeveError('unknown', `${what}: ${errorMessage(error)}`, { cause: error });
  }
}

function shortForm(endpoint: Endpoint): string {
  return endpoint.protocol === 'udp'
    ? formatEndpoint(endpoint)
    : formatHostPort(endpoint.host, endpoint.port);
}
