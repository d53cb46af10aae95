// One instance of a service: started on its ports, watched, started again, stopped.
import type { ServiceConfig } from '../config/index.ts';
import type { EventKind } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import type { Check, CheckSpec } from '../health/index.ts';
import { type Child, startChild } from './child.ts';
import { Claims } from './claims.ts';
import { launchOf } from './launch.ts';
import { afterFailure, noFailures } from './retry.ts';
import type { InstanceState, InstanceStatus, SuperviseDeps } from './status.ts';

/** A program that has just been started may take so long before failed probes count. */
const startGrace = 10_000;

export class Instance {
  readonly name: string;
  readonly index: number;
  readonly #deps: SuperviseDeps;
  readonly #changed: () => void;
  readonly #claims: Claims;
  #config: ServiceConfig;
  #state: InstanceState = 'stopped';
  #launching: Promise<void> = Promise.resolve();
  /** A launch that finds another number here has been overtaken by a stop. */
  #turn = 0;
  #ended = false;
  #child: Child | null = null;
  #check: Check | null = null;
  /** The check's verdict that was acted on last. */
  #judged: HealthVerdict = 'unknown';
  #timer: NodeJS.Timeout | undefined;
  #retry = noFailures;
  #starts = 0;
  /** Why reeve itself is ending the process in order to start it again. */
  #unhealthy: string | null = null;
  #lastExit: string | null = null;
  #startedAt: number | null = null;
  #upSince: number | null = null;
  #nextStartAt: number | null = null;

  constructor(
    service: string,
    index: number,
    config: ServiceConfig,
    deps: SuperviseDeps,
    changed: () => void,
  ) {
    this.name = `${service}/${index}`;
    this.index = index;
    this.#config = config;
    this.#deps = deps;
    this.#changed = changed;
    this.#claims = new Claims(deps);
  }

  get config(): ServiceConfig {
    return this.#config;
  }

  status(): InstanceStatus {
    const running = this.#child !== null;
    return {
      name: this.name,
      index: this.index,
      state: this.#state,
      pid: this.#child?.pid ?? null,
      ports: { ...this.#claims.ports },
      verdict: this.#check?.state.verdict ?? (running ? 'unknown' : 'down'),
      restarts: Math.max(0, this.#starts - 1),
      lastExit: this.#lastExit,
      startedAt: running ? this.#startedAt : null,
      nextStartAt: this.#nextStartAt,
    };
  }

  start(): void {
    if (this.#ended) return;
    clearTimeout(this.#timer);
    this.#nextStartAt = null;
    this.#upSince = null;
    this.#unhealthy = null;
    this.#become('starting');
    const turn = ++this.#turn;
    this.#launching = this.#launch(turn).catch((error) => {
      if (turn !== this.#turn) return;
      this.#lastExit = `could not start: ${errorMessage(error)}`;
      this.#failed(this.#lastExit);
    });
  }

  /** Ends the process group; resolves once it is gone. The ports are kept. */
  async #halt(): Promise<void> {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#nextStartAt = null;
    this.#check?.stop();
    this.#become('stopping');
    await this.#launching;
    await this.#endChild();
    // One that outlived even SIGKILL is nobody's any more: its late exit must not start anything.
    this.#child = null;
    this.#become('stopped');
  }

  /** For good: it cannot be started again. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#halt();
    this.#claims.release();
    this.#tell('instance', 'stopped');
  }

  /** Resolves once the old process is gone and the new one is on its way. */
  async restart(reason: string, config = this.#config): Promise<void> {
    this.#tell('restart', reason);
    await this.#halt();
    this.#config = config;
    this.#retry = noFailures;
    this.start();
  }

  /** Takes over what needs no new process: the check, and how to restart and stop. */
  adjust(config: ServiceConfig): void {
    const checkChanged = JSON.stringify(config.check) !== JSON.stringify(this.#config.check);
    this.#config = config;
    if (checkChanged && this.#child) this.#watch();
  }

  async #launch(turn: number): Promise<void> {
    const { context, env, folder } = this.#deps;
    const config = this.#config;
    const ports = await this.#claims.claim(config.ports);
    if (turn !== this.#turn) return;
    const child: Child = startChild(launchOf(config, ports, env, folder), {
      line: (stream, text) => context.log.info({ instance: this.name, stream }, `${this.name}: ${text}`),
      exit: (words) => this.#exited(child, words),
    });
    this.#child = child;
    this.#starts += 1;
    this.#startedAt = context.clock.wall();
    if (child.pid !== null) {
      const on = Object.entries(ports).map(([name, port]) => `${name} ${port}`);
      this.#tell('instance', `started as PID ${child.pid} on ${on.join(', ')}`, { pid: child.pid, ports });
      this.#watch();
    }
    this.#changed();
  }

  #watch(): void {
    this.#check?.stop();
    const { http, port, interval, timeout, fall, rise, fastInterval } = this.#config.check;
    const { ports } = this.#claims;
    const at = `127.0.0.1:${port === undefined ? Object.values(ports)[0] : ports[port]}`;
    const spec: CheckSpec = {
      name: `service/${this.name}`,
      url: http === undefined ? `tcp://${at}` : `http://${at}${http}`,
      timing: { interval, timeout, fall, rise, fastInterval },
      graceMs: startGrace,
      emits: false,
      onResult: (check) => this.#judge(check),
    };
    this.#judged = 'unknown';
    this.#check = this.#deps.scheduler.add(spec);
  }

  #judge(check: Check): void {
    const { verdict } = check.state;
    if (check !== this.#check || verdict === this.#judged) return;
    this.#judged = verdict;
    if (verdict === 'up') this.#ready();
    else if (this.#state === 'up') {
      this.#unhealthy = `unhealthy: ${check.summary}`;
      this.#become('down');
      this.#tell('instance', `${this.#unhealthy}; it is being stopped`);
      void this.#endChild();
    } else {
      this.#become('down');
      this.#tell('instance', `not ready: ${check.summary}`);
    }
  }

  #ready(): void {
    const already = this.#state === 'up';
    this.#become('up');
    // A new check of an instance that is up has found it so: nothing has begun.
    if (already) return;
    this.#upSince = this.#now();
    const took = this.#deps.context.clock.wall() - (this.#startedAt ?? 0);
    this.#tell('instance', `ready after ${formatDuration(Math.max(0, took))}`);
  }

  async #endChild(): Promise<void> {
    this.#check?.stop();
    const child = this.#child;
    if (!child) return;
    if (await child.stop(this.#config.stop)) return;
    this.#deps.context.log.error(
      { instance: this.name, pid: child.pid },
      `${this.name}: not even SIGKILL ended it`,
    );
  }

  /** In the turn in which the exit is seen: whoever sends connections here must stop now. */
  #exited(child: Child, words: string): void {
    if (child !== this.#child) return;
    this.#check?.stop();
    this.#check = null;
    this.#child = null;
    this.#lastExit = words;
    if (child.pid !== null) this.#tell('instance', `ended: ${words}`);
    if (this.#state === 'stopping') this.#changed();
    else this.#failed(this.#unhealthy ?? words);
  }

  #failed(reason: string): void {
    const { context } = this.#deps;
    const { restart } = this.#config;
    const healthyFor = this.#upSince === null ? 0 : this.#now() - this.#upSince;
    this.#upSince = null;
    const next = afterFailure(this.#retry, healthyFor, this.#now(), restart, context.random);
    this.#retry = next.retry;
    this.#nextStartAt = context.clock.wall() + next.delay;
    this.#timer = setTimeout(() => this.start(), next.delay);
    this.#become(next.retry.looping ? 'crash-looping' : 'backoff');
    if (next.enteredLoop) {
      const { count, perMs } = restart.limit;
      const [time, most] = [formatDuration(perMs), formatDuration(restart.backoff.max)];
      const message = `crash-looping: more than ${count} starts in ${time}, last: ${reason}; from now on one try in ${most}`;
      this.#tell('restart', message, { state: 'crash-looping' });
    } else if (!next.retry.looping) {
      this.#tell('restart', `starts again in ${formatDuration(next.delay)}: ${reason}`);
    }
  }

  #become(state: InstanceState): void {
    this.#state = state;
    this.#changed();
  }

  #tell(kind: EventKind, message: string, detail: Record<string, unknown> = {}): void {
    this.#deps.context.emit({ kind, subject: `service/${this.name}`, message, detail });
  }

  #now(): number {
    return this.#deps.context.clock.monotonic();
  }
}
