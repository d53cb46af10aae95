// A handler's threads: calls wait in turn for a place, a thread that hangs or ends is replaced, and everything is counted.
import { availableParallelism } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { Context } from '../../core/context.ts';
import { errorMessage, ReeveError } from '../../core/errors.ts';
import type { Task } from './protocol.ts';
import type { FrameContext, Sender } from './types.ts';

export interface HandlerConfig {
  file: string;
  threads: number | 'auto';
  /** Calls that one thread serves at once. */
  concurrency: number;
  /** Bytes of heap that a thread may have. */
  memory: number;
  /** Milliseconds. */
  timeout: number;
}

export interface HandlerCounters {
  threads: number;
  running: number;
  /** Calls that wait for a place, and the longest and the whole time that calls have waited, in milliseconds. */
  queued: number;
  longestWaitMs: number;
  waitedMs: number;
  calls: number;
  /** Calls that threw, that took too long, and that lost their thread. */
  failed: number;
  timeouts: number;
  crashes: number;
}

export type HandlerFailure = 'handler-failed' | 'handler-timeout' | 'handler-crashed';

/** Why a call has no answer. */
export class HandlerError extends Error {
  readonly reason: HandlerFailure;

  constructor(reason: HandlerFailure, message: string) {
    super(message);
    this.reason = reason;
  }
}

export class HandlerPool {
  readonly config: HandlerConfig;
  private readonly name: string;
  private readonly context: Context;
  private readonly threads: Piscina;
  private readonly places: number;
  private readonly queue: (() => void)[] = [];
  private users = 0;
  private retired = false;
  private readonly counts: HandlerCounters;

  private constructor(
    name: string,
    config: HandlerConfig,
    count: number,
    threads: Piscina,
    context: Context,
  ) {
    this.name = name;
    this.config = config;
    this.context = context;
    this.threads = threads;
    this.places = count * config.concurrency;
    this.counts = {
      ...{ threads: count, running: 0, queued: 0, longestWaitMs: 0, waitedMs: 0 },
      ...{ calls: 0, failed: 0, timeouts: 0, crashes: 0 },
    };
    // A thread that ends between calls is replaced as well; without a listener it would end the daemon.
    threads.on('error', (error) => this.crashed(error));
  }

  /** Rejects with `config` where the handler cannot be loaded: better at the start than with the first client. */
  static async open(
    name: string,
    config: HandlerConfig,
    program: string,
    context: Context,
  ): Promise<HandlerPool> {
    const { Piscina } = await import('piscina');
    const count = config.threads === 'auto' ? Math.min(4, availableParallelism()) : config.threads;
    const threads = new Piscina({
      filename: program,
      workerData: config.file,
      minThreads: count,
      maxThreads: count,
      concurrentTasksPerWorker: config.concurrency,
      // Waiting on a lock between calls would stop the timers of handlers.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: Math.max(8, config.memory / 1e6) },
      execArgv: [],
    });
    const pool = new HandlerPool(name, config, count, threads, context);
    try {
      await threads.run({ kind: 'load' } satisfies Task, { signal: AbortSignal.timeout(loadPatience) });
      return pool;
    } catch (error) {
      await threads.destroy();
      throw new ReeveError(
        'config',
        `handler ${config.file} of listener '${name}' cannot be loaded: ${errorMessage(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  /** The answer's bytes, or null. Rejects with HandlerError. */
  async frame(frame: Uint8Array, context: FrameContext): Promise<Uint8Array | null> {
    await this.place();
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), this.config.timeout);
    try {
      return await this.run({ kind: 'frame', frame, context }, [], timeout.signal);
    } finally {
      clearTimeout(timer);
      this.leave();
    }
  }

  /** Resolves when the handler has ended; `hung` says that its thread gives no sign of life. Rejects with HandlerError. */
  async connection(port: MessagePort, sender: Sender, begun: () => void, hung: AbortSignal): Promise<void> {
    await this.place();
    try {
      begun();
      await this.run({ kind: 'connection', port, sender }, [port], hung);
    } finally {
      this.leave();
    }
  }

  counters(): HandlerCounters {
    return { ...this.counts, queued: this.queue.length };
  }

  /** A connection that uses it: until it says `release`, the threads stay. */
  hold(): void {
    this.users += 1;
  }

  release(): void {
    this.users -= 1;
    if (this.retired && this.users === 0) void this.threads.destroy();
  }

  /** Takes nobody new; ends when the last connection is gone. */
  async retire(): Promise<void> {
    this.retired = true;
    if (this.users === 0) await this.threads.destroy();
  }

  private async place(): Promise<void> {
    if (this.counts.running < this.places) {
      this.counts.running += 1;
      return;
    }
    const since = this.context.clock.monotonic();
    // Whoever leaves gives its place on.
    await new Promise<void>((resolve) => this.queue.push(resolve));
    const waited = this.context.clock.monotonic() - since;
    this.counts.waitedMs += waited;
    this.counts.longestWaitMs = Math.max(this.counts.longestWaitMs, waited);
  }

  private leave(): void {
    const next = this.queue.shift();
    if (next) next();
    else this.counts.running -= 1;
  }

  private async run<T>(task: Task, transferList: MessagePort[], signal: AbortSignal): Promise<T> {
    this.counts.calls += 1;
    try {
      return (await this.threads.run(task, { transferList, signal })) as T;
    } catch (error) {
      const message = errorMessage(error);
      if (signal.aborted) {
        this.counts.timeouts += 1;
        this.tell(`took longer than ${this.config.timeout} ms: its thread is replaced`);
        throw new HandlerError('handler-timeout', `no answer within ${this.config.timeout} ms`);
      }
      if (isLostThread(error)) {
        this.crashed(error);
        throw new HandlerError('handler-crashed', message);
      }
      this.counts.failed += 1;
      throw new HandlerError('handler-failed', message);
    }
  }

  private crashed(error: unknown): void {
    this.counts.crashes += 1;
    this.tell(`a thread ended: ${errorMessage(error)}; another takes its place`);
  }

  private tell(message: string): void {
    this.context.emit({
      kind: 'listener',
      subject: `listener/${this.name}`,
      message: `handler: ${message}`,
      detail: { failing: true },
    });
  }
}

const loadPatience = 10_000;

/** Piscina's own words for a thread that ended (worker exited with code …, Terminating worker thread), and Node's code. */
function isLostThread(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string };
  return code === 'ERR_WORKER_OUT_OF_MEMORY' || /worker (exited|thread)|Terminating worker/i.test(message);
}
