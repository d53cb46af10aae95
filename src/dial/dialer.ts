// The client side of a service: finds its targets, picks one, connects, and tries again elsewhere when that fails.
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Registry as MetricsRegistry } from 'prom-client';
import type { Dispatcher, RequestInit, Response } from 'undici';
import type { Context } from '../core/context.ts';
import { errorMessage, ReeveError } from '../core/errors.ts';
import { type Attempt, Calls } from './calls.ts';
import { type OpenSocket, socketOpener } from './connect.ts';
import { type Counters, exposeMetrics, noCounts, type TargetStatus } from './counters.ts';
import type { DialEvent, DialEvents, Tell } from './events.ts';
import { Answers } from './fallback.ts';
import { fetchThrough, type KeptResponse } from './fetching.ts';
import type { Http } from './http.ts';
import type { Places } from './places.ts';
import type { Rules } from './rules.ts';
import { Sockets } from './sockets.ts';
import { type Lender, type Work, workOver } from './work.ts';

export interface UseOptions<T> {
  /** The work may be done twice. Where false it is tried again only where nothing of it was sent. */
  idempotent?: boolean;
  /** Of the policy source-hash, and of the value that is kept for the fallback. */
  key?: string;
  /** What stands in where nothing else does. */
  otherwise?: () => T | Promise<T>;
}

export interface DialerParts {
  name: string;
  places: Places;
  rules: Rules;
  context: Pick<Context, 'clock' | 'random'>;
  /** What stands in for an HTTP answer where nothing else does. */
  otherwise: ((path: string) => Response | Promise<Response>) | undefined;
  close: () => Promise<void>;
}

const never = new AbortController().signal;

export class Dialer implements Disposable, AsyncDisposable {
  readonly name: string;
  private readonly parts: DialerParts;
  private readonly events = new EventEmitter();
  private readonly counts = noCounts();
  private readonly calls: Calls;
  private readonly open: OpenSocket;
  private readonly idle: Sockets;
  private readonly lender: Lender;
  private readonly values: Answers<unknown>;
  private readonly responses: Answers<KeptResponse>;
  private readonly inUse = new Set<Socket>();
  private readonly underWay = new Set<AbortController>();
  private readonly closing = new AbortController();
  private hidden: (() => void) | null = null;
  private http: Promise<Http> | null = null;

  constructor(parts: DialerParts) {
    this.parts = parts;
    this.name = parts.name;
    const { rules, places, context, name } = parts;
    const tell: Tell = (event, detail) => void this.events.emit(event, detail);
    this.calls = new Calls({
      ...{ name, places, rules, ...context, counters: this.counts, tell },
      changed: () => this.targetsChanged(),
    });
    const open = socketOpener(rules.tls, rules.connectTimeoutMs);
    this.open = async (target, signal) => {
      const socket = await open(target, signal);
      this.counts.connected += 1;
      return socket;
    };
    this.idle = new Sockets(rules.pool, context.clock, (target, reason) => {
      this.counts.discarded += 1;
      tell('discard', { target, reason });
    });
    this.lender = { idle: this.idle, open: this.open, inUse: this.inUse, counts: this.counts };
    this.values = new Answers(rules.fallback);
    this.responses = new Answers(rules.fallback);
  }

  /** A connection of the caller's own, which is the pool's no more; counted until it closes. */
  connect(signal: AbortSignal = never, key = ''): Promise<Socket> {
    return this.call(
      async (taken, _, during) => {
        const socket = await this.open(taken.target, during);
        this.inUse.add(socket);
        socket.once('close', () => {
          this.inUse.delete(socket);
          taken.release();
        });
        return socket;
      },
      key,
      signal,
    );
  }

  /**
   * Work over a connection of the pool, which goes back there afterwards; one that failed, or that the work has ended, does not.
   * Errors of the work itself, while the connection is well, are passed on as they are.
   */
  async use<T>(work: Work<T>, options: UseOptions<T> = {}, signal: AbortSignal = never): Promise<T> {
    const { key = '', otherwise, idempotent = false } = options;
    let own: { error: unknown } | null = null;
    try {
      const value = await this.call(
        async (taken, _, during) => {
          const outcome = await workOver(this.lender, taken, work, idempotent, during);
          if ('error' in outcome) own = outcome;
          return outcome;
        },
        key,
        signal,
      );
      if ('error' in value) throw value.error;
      this.values.put(key, value.value, this.now());
      return value.value;
    } catch (error) {
      if (own || signal.aborted || this.closing.signal.aborted) throw error;
      const kept = this.values.get(key, this.now());
      if (kept) {
        this.fellBack(key, 'cache', errorMessage(error));
        return kept.value as T;
      }
      if (!otherwise) throw error;
      this.fellBack(key, 'default', errorMessage(error));
      return otherwise();
    }
  }

  /** HTTP by path. @throws ReeveError where no target answered and nothing stands in. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const { rules, otherwise } = this.parts;
    return fetchThrough(path, init, {
      ...{ origin: `${rules.tls ? 'https' : 'http'}://${hostOf(this.name)}`, dispatcher: this.dispatcher },
      ...{ rules, answers: this.responses, now: () => this.now(), otherwise },
      fellBack: (key, from, reason) => this.fellBack(key, from, reason),
    });
  }

  /** For `fetch(url, { dispatcher })`: whatever host the URL names, the request goes to a target. */
  get dispatcher(): Dispatcher {
    const dispatch: Dispatcher['dispatch'] = (request, handler) => {
      this.loadHttp().then(
        ({ dispatcher }) => dispatcher.dispatch(request, handler),
        (error) =>
          handler.onResponseError ? handler.onResponseError({} as never, error) : handler.onError?.(error),
      );
      return true;
    };
    const close = async () => this.close();
    // undici is loaded with the first request; of a dispatcher, fetch and undici ask no more than this.
    return { dispatch, close, destroy: close } as unknown as Dispatcher;
  }

  on<Name extends DialEvent>(event: Name, listener: (detail: DialEvents[Name]) => void): this {
    this.events.on(event, listener);
    return this;
  }

  off<Name extends DialEvent>(event: Name, listener: (detail: DialEvents[Name]) => void): this {
    this.events.off(event, listener);
    return this;
  }

  counters(): Counters & { idle: number; waiting: number } {
    return { ...this.counts, idle: this.idle.count, waiting: this.calls.waiting };
  }

  targets(): TargetStatus[] {
    return this.calls.choice.status();
  }

  /** Into a prom-client registry, as `portreeve_dial_…{pool}`, until it is closed. */
  async expose(registry: MetricsRegistry): Promise<void> {
    const source = { name: this.name, counters: () => this.counts, targets: () => this.targets() };
    const hide = await exposeMetrics(source, registry);
    this.hidden?.();
    this.hidden = hide;
  }

  /** Ends what is idle, under way and waiting. */
  async close(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.closing.abort(new ReeveError('aborted', `${this.name}: the dialler is closed`));
    for (const call of this.underWay) call.abort(this.closing.signal.reason);
    this.hidden?.();
    this.idle.close();
    for (const socket of this.inUse) socket.destroy();
    this.values.clear();
    this.responses.clear();
    await Promise.all([this.http?.then((http) => http.close()), this.parts.close()]);
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async call<T>(attempt: Attempt<T>, key: string, signal: AbortSignal): Promise<T> {
    this.closing.signal.throwIfAborted();
    const both = new AbortController();
    const stop = () => both.abort(signal.reason);
    if (signal.aborted) stop();
    if (signal !== never) signal.addEventListener('abort', stop, { once: true });
    this.underWay.add(both);
    try {
      return await this.calls.call(attempt, key, both.signal);
    } finally {
      signal.removeEventListener('abort', stop);
      this.underWay.delete(both);
    }
  }

  private loadHttp(): Promise<Http> {
    this.http ??= import('./http.ts').then(
      ({ Http }) =>
        new Http({
          call: (attempt, key, signal) => this.call(attempt, key, signal),
          ...{ open: this.open, rules: this.parts.rules },
        }),
    );
    return this.http;
  }

  private targetsChanged(): void {
    const targets = this.calls.choice.targets.map(({ id }) => id);
    const ids = new Set(targets);
    this.idle.keep(ids);
    void this.http?.then((http) => http.keep(ids));
    this.events.emit('targets', { targets } satisfies DialEvents['targets']);
  }

  private fellBack(key: string, from: 'cache' | 'default', reason: string): void {
    this.counts.fallbacks += 1;
    this.events.emit('fallback', { key, from, reason } satisfies DialEvents['fallback']);
  }

  private now(): number {
    return this.parts.context.clock.monotonic();
  }
}

/** A name of a service may hold what a host name may not. */
function hostOf(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9.-]+/g, '-')
      .replace(/^[.-]+|[.-]+$/g, '') || 'service'
  );
}
