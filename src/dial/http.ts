// HTTP over a dialler: an undici dispatcher whose requests go to targets, and again to others where that is safe.
import { Dispatcher, Pool } from 'undici';
import type { Target } from '../core/balance/target.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { errorMessage } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import { abortError } from '../core/time.ts';
import type { Attempt } from './calls.ts';
import type { Taken } from './choice.ts';
import type { OpenSocket } from './connect.ts';
import { AttemptFailure, attemptFailure } from './failure.ts';
import type { Rules } from './rules.ts';

type Options = Dispatcher.DispatchOptions;
type Handler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;

/** RFC 9110 §9.2.2: they may be done twice. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export interface HttpOptions {
  call: (attempt: Attempt<void>, client: string, signal: AbortSignal) => Promise<void>;
  open: OpenSocket;
  rules: Rules;
}

export class Http {
  readonly dispatcher: Dispatcher;
  private readonly options: HttpOptions;
  private readonly pools = new Map<string, Pool>();

  constructor(options: HttpOptions) {
    this.options = options;
    const close = () => this.close();
    // compose gives every handler the newer form: Node's own fetch still has the older one.
    this.dispatcher = new (class extends Dispatcher {
      override close = close as Dispatcher['close'];
      override destroy = close as Dispatcher['destroy'];
    })().compose(() => (request, handler) => {
      this.dispatch(request, handler);
      return true;
    });
  }

  keep(targets: ReadonlySet<string>): void {
    for (const [id, pool] of this.pools) {
      if (targets.has(id)) continue;
      this.pools.delete(id);
      // What is under way is finished.
      void pool.close();
    }
  }

  async close(): Promise<void> {
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  private dispatch(request: Options, handler: Handler): void {
    const exchange = new Exchange(handler);
    try {
      // Whoever asks hears of one request, however many attempts it takes.
      handler.onRequestStart?.(exchange, {});
    } catch (error) {
      exchange.abort(error as Error);
    }
    const client = String(request.path);
    this.options
      .call(
        (taken, last, signal) => this.attempt(request, exchange, taken, last, signal),
        client,
        exchange.signal,
      )
      .catch((error) => handler.onResponseError?.(exchange, exchange.reason ?? error));
  }

  /** Resolves with the head of the answer; the rest follows on its own. */
  private attempt(request: Options, exchange: Exchange, taken: Taken, last: boolean, signal: AbortSignal) {
    const { retry, answerTimeoutMs } = this.options.rules;
    return new Promise<void>((resolve, reject) => {
      let started = false;
      let settled = false;
      const { handler } = exchange;
      const isSafe = () =>
        !started || (idempotent.has(request.method.toUpperCase()) && isReplayable(request.body));
      const settle = (act: () => void) => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        act();
      };
      const fail = (error: Error) =>
        settle(() => {
          reject(error);
          exchange.current?.abort(error);
        });
      const stop = () => fail(abortError(signal));
      const timer = setTimeout(() => setImmediate(late), answerTimeoutMs);
      // After a stall of this program the answer may be there, unread: it is read first.
      const late = () => {
        const words = `no answer within ${formatDuration(answerTimeoutMs)}`;
        fail(new AttemptFailure(words, { again: isSafe(), counts: true }));
      };
      exchange.current = null;
      signal.addEventListener('abort', stop, { once: true });
      this.poolOf(taken.target).dispatch(
        { ...request, origin: this.originOf(taken.target) },
        {
          onRequestStart(controller) {
            if (settled) return controller.abort(new Error('it is not wanted any more'));
            started = true;
            exchange.current = controller;
          },
          onRequestUpgrade(_, status, headers, socket) {
            settle(() => {
              socket.once('close', taken.release);
              handler.onRequestUpgrade?.(exchange, status, headers, socket);
              resolve();
            });
          },
          onResponseStart(_, status, headers, message) {
            // Of 1xx an answer follows.
            if (status < 200 || settled) return;
            const isFailure = retry.statuses.includes(status);
            if (isFailure && !last && isSafe())
              return fail(new AttemptFailure(`status ${status}`, { again: true, counts: true }));
            settle(() => {
              exchange.answered = true;
              if (isFailure) taken.failed();
              handler.onResponseStart?.(exchange, status, headers, message);
              resolve();
            });
          },
          onResponseData(_, chunk) {
            if (exchange.answered) handler.onResponseData?.(exchange, chunk);
          },
          onResponseEnd(_, trailers) {
            taken.release();
            if (exchange.answered) handler.onResponseEnd?.(exchange, trailers);
          },
          onResponseError(_, error) {
            if (!settled) return fail(attemptFailure(error, isSafe()));
            taken.release();
            if (exchange.answered) handler.onResponseError?.(exchange, exchange.reason ?? error);
          },
        },
      );
    });
  }

  private originOf({ host, port }: Target): string {
    return `${this.options.rules.tls ? 'https' : 'http'}://${formatHostPort(host, port)}`;
  }

  private poolOf(target: Target): Pool {
    const known = this.pools.get(target.id);
    if (known) return known;
    const { rules, open } = this.options;
    const pool = new Pool(this.originOf(target), {
      connections: rules.pool.max,
      keepAliveTimeout: rules.pool.idleMs,
      keepAliveMaxTimeout: rules.pool.idleMs,
      clientTtl: rules.pool.lifetimeMs,
      // The exchange has its own time.
      headersTimeout: 0,
      connect: (_, done) => {
        // Its own time ends it.
        open(target, new AbortController().signal).then(
          (socket) => done(null, socket),
          (error) => done(error instanceof Error ? error : new Error(errorMessage(error)), null),
        );
      },
    });
    this.pools.set(target.id, pool);
    return pool;
  }
}

/** One request as its caller sees it, over all attempts. */
class Exchange implements Controller {
  readonly handler: Handler;
  /** Of the attempt under way. */
  current: Controller | null = null;
  answered = false;
  reason: Error | null = null;
  private readonly ending = new AbortController();

  constructor(handler: Handler) {
    this.handler = handler;
  }

  get signal(): AbortSignal {
    return this.ending.signal;
  }

  get aborted(): boolean {
    return this.reason !== null;
  }

  get paused(): boolean {
    return this.current?.paused ?? false;
  }

  get rawHeaders() {
    return this.current?.rawHeaders ?? null;
  }

  get rawTrailers() {
    return this.current?.rawTrailers ?? null;
  }

  abort(reason?: Error): void {
    if (this.reason) return;
    this.reason = reason ?? new DOMException('This operation was aborted', 'AbortError');
    this.current?.abort(this.reason);
    this.ending.abort(this.reason);
  }

  pause(): void {
    this.current?.pause();
  }

  resume(): void {
    this.current?.resume();
  }
}

/** A stream that was begun cannot be sent again. */
function isReplayable(body: unknown): boolean {
  return body === null || body === undefined || typeof body === 'string' || body instanceof Uint8Array;
}
