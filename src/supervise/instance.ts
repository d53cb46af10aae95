// One instance of a service: started on its ports, watched, started again, stopped.
import type { ServiceConfig } from '../config/index.ts';
import { errorMessage } from '../core/errors.ts';
import type { Ending } from './child.ts';
import { Claims } from './claims.ts';
import { Entrance, type WaitsFor } from './entrance.ts';
import * as notice from './notices.ts';
import { Output } from './output.ts';
import { type Cause, type RestartReason, Restarts } from './restarts.ts';
import { Running } from './running.ts';
import { holderOf, strangerOn } from './sight.ts';
import type { InstanceState, InstanceStatus, SuperviseDeps } from './status.ts';

export interface InstanceHooks {
  changed(): void;
  restarts(reason: RestartReason): void;
}

export class Instance {
  readonly name: string;
  readonly index: number;
  readonly #deps: SuperviseDeps;
  readonly #hooks: InstanceHooks;
  readonly #claims: Claims;
  readonly #entrance: Entrance;
  readonly #output: Output;
  readonly #notices: notice.Notices;
  readonly #restarts: Restarts;
  #config: ServiceConfig;
  #state: InstanceState = 'stopped';
  #reason: string | null = null;
  #waitsFor: InstanceStatus['waitsFor'] = null;
  /** Ends what is under way: a launch, a wait, a drain. */
  #turn = new AbortController();
  #launching: Promise<void> = Promise.resolve();
  #ended = false;
  #run: Running | null = null;
  #starts = 0;
  /** Why reeve itself is ending the process in order to start it again. */
  #cause: Cause | null = null;
  #lastExit: string | null = null;
  #upSince: number | null = null;
  /** When its check went down; null while that has not happened. */
  #upUntil: number | null = null;

  constructor(service: string, index: number, config: ServiceConfig, deps: SuperviseDeps, on: InstanceHooks) {
    this.name = `${service}/${index}`;
    this.index = index;
    this.#config = config;
    this.#deps = deps;
    this.#hooks = on;
    this.#notices = new notice.Notices(`service/${this.name}`, deps.context.emit);
    this.#restarts = new Restarts(deps.context, () => this.start(), on.restarts);
    this.#claims = new Claims(this.name, deps.ports, (port) => holderOf(deps.sight, port));
    const waits = (what: WaitsFor, reason: string) => this.#waitFor(what, reason);
    this.#entrance = new Entrance(this.#claims, this.#notices, deps, waits);
    this.#output = new Output(this.name, deps, config.logs);
  }

  get config(): ServiceConfig {
    return this.#config;
  }

  status(): InstanceStatus {
    return {
      name: this.name,
      index: this.index,
      state: this.#state,
      reason: this.#reason,
      waitsFor: this.#state === 'waiting' ? this.#waitsFor : null,
      pid: this.#run?.pid ?? null,
      ports: this.#claims.ports,
      verdict: this.#run?.verdict ?? 'down',
      restarts: Math.max(0, this.#starts - 1),
      history: this.#restarts.history,
      lastExit: this.#lastExit,
      startedAt: this.#run?.startedAt ?? null,
      nextStartAt: this.#restarts.nextAt,
    };
  }

  start(): void {
    if (this.#ended) return;
    this.#restarts.cancel();
    this.#upSince = null;
    this.#upUntil = null;
    this.#cause = null;
    this.#become('starting');
    this.#turn = new AbortController();
    const { signal } = this.#turn;
    this.#launching = this.#launch(signal).catch((error) => {
      if (signal.aborted) return;
      this.#starts += 1;
      this.#lastExit = `could not start: ${errorMessage(error)}`;
      this.#failed({ reason: 'could-not-start', detail: this.#lastExit });
    });
  }

  /** Ends the process group; resolves once it is gone. The ports are kept. */
  async #halt(): Promise<void> {
    const wasUp = this.#state === 'up';
    this.#turn.abort();
    this.#turn = new AbortController();
    this.#restarts.cancel();
    this.#run?.unwatch();
    this.#become('stopping');
    await this.#launching;
    if (wasUp) await this.#untilUnused();
    await this.#endRun();
    // One that outlived even SIGKILL is nobody's any more: its late exit must not start anything.
    this.#run = null;
    await this.#claims.park();
    this.#become('stopped');
  }

  /** For good: it cannot be started again. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#halt();
    await Promise.all([this.#claims.release(), this.#output.close()]);
    this.#notices.tell(notice.stopped);
  }

  /** Resolves once the old process is gone and the new one is on its way. */
  async restart(reason: 'asked-for' | 'configuration', config = this.#config): Promise<void> {
    const detail = reason === 'asked-for' ? 'asked for' : 'its configuration changed';
    this.#notices.tell({ kind: 'restart', message: detail, detail: { reason } });
    this.#restarts.record({ reason, detail });
    await this.#halt();
    this.#config = config;
    this.#restarts.forgetFailures();
    this.#notices.forget();
    this.start();
  }

  /** Takes over what needs no new process: the check, the log, and how to restart and stop. */
  adjust(config: ServiceConfig): void {
    const watched = ({ check, verify }: ServiceConfig) => JSON.stringify([check, verify]);
    const isChanged = watched(config) !== watched(this.#config);
    this.#config = config;
    this.#output.adjust(config.logs);
    if (isChanged && this.#run?.pid && !config.oneshot) this.#run.watch(config);
    // Whether it still has to wait may be another question now.
    this.#hooks.changed();
  }

  async #launch(signal: AbortSignal): Promise<void> {
    const { config, ports, launch } = await this.#entrance.pass(() => this.#config, signal);
    if (this.#state === 'waiting') this.#become('starting');
    // A program that does not set SO_REUSEADDR cannot bind a parked port: one that has failed gets it bare.
    if (this.#restarts.failures > 0) this.#claims.unpark();
    const spec = { name: this.name, config, ports, output: this.#output };
    const run = new Running(launch, spec, this.#deps, {
      up: () => this.#ready(),
      down: (summary) => this.#notUp(summary),
      lost: (port, holder) => this.#giveUp(lostTo(port, holder.words)),
      misplaced: (elsewhere) => this.#tellMisplaced(elsewhere),
      ended: (ended, ending) => this.#exited(ended, ending),
    });
    this.#run = run;
    this.#starts += 1;
    if (run.pid !== null) {
      this.#notices.tell(notice.started(run.pid, ports));
      if (config.oneshot) this.#state = 'up';
      else run.watch(config);
    }
    this.#hooks.changed();
  }

  #waitFor(what: WaitsFor, reason: string): void {
    // A port is looked at again and again: what was said of it first stands.
    if (what === 'port' && this.#state === 'waiting') return;
    this.#waitsFor = what;
    this.#become('waiting', reason);
  }

  #ready(): void {
    const already = this.#state === 'up';
    this.#notices.forget();
    this.#claims.unpark();
    if (this.#run?.pid) this.#claims.bound(this.#run.pid);
    this.#become('up');
    // A new check of an instance that is up has found it so: nothing has begun.
    if (already) return;
    this.#upSince = this.#deps.context.clock.monotonic();
    this.#notices.tell(notice.ready(this.#deps.context.clock.wall() - (this.#run?.startedAt ?? 0)));
  }

  #notUp(summary: string): void {
    if (this.#state === 'up') {
      // The time that it takes to end is none of health.
      this.#upUntil = this.#deps.context.clock.monotonic();
      const detail = `unhealthy: ${summary}`;
      this.#notices.tell(notice.told(`${detail}; it is being stopped`));
      this.#giveUp({ reason: 'failed-check', detail });
    } else if (this.#notices.wereTold('misplaced')) {
      this.#become('down', this.#reason);
    } else {
      this.#become('down', `not ready: ${summary}`);
      this.#notices.tell(notice.told(`not ready: ${summary}`));
    }
  }

  #tellMisplaced(elsewhere: readonly string[]): void {
    const wrong = notice.misplaced(elsewhere, this.#claims.ports);
    this.#notices.once('misplaced', wrong);
    this.#become(this.#state, wrong.message);
  }

  /** Ends a process that is of no use, in order to start it again. */
  #giveUp(cause: Cause): void {
    this.#cause = cause;
    this.#become('down', cause.detail);
    void this.#endRun();
  }

  /** Connections through listeners get to end: nobody sends it new ones since it is `stopping`. */
  async #untilUnused(): Promise<void> {
    const { drain } = this.#config.stop;
    if (drain > 0) await this.#deps.unused(this.name, AbortSignal.timeout(drain));
  }

  async #endRun(): Promise<void> {
    const run = this.#run;
    if (!run || (await run.stop(this.#config.stop))) return;
    this.#deps.context.log.error(
      { instance: this.name, pid: run.pid },
      `${this.name}: not even SIGKILL ended it`,
    );
  }

  /** In the turn in which the exit is seen: whoever sends connections here must stop now. */
  #exited(run: Running, { reason, code, words }: Ending): void {
    if (run !== this.#run) return;
    this.#run = null;
    this.#lastExit = words;
    if (run.pid !== null) this.#notices.tell(notice.ended(words));
    const { oneshot, verify, park } = this.#config;
    if (park && !oneshot) void this.#claims.park();
    const cause: Cause = this.#cause ?? { reason, detail: words };
    const isPlain = this.#cause !== null || this.#upSince !== null || run.pid === null;
    if (this.#state === 'stopping') this.#hooks.changed();
    else if (oneshot && code === 0) this.#finish();
    else if (cause.reason === 'lost-port') this.#lostPort(cause);
    else if (isPlain || oneshot || !verify) this.#failed(cause);
    else this.#failedOrLost(run, cause);
  }

  #finish(): void {
    void this.#claims.release();
    this.#become('finished');
  }

  /** It may have ended because somebody else has its port: then its restarts are not to be spent. */
  #failedOrLost(run: Running, cause: Cause): void {
    this.#become('backoff', cause.detail);
    const { signal } = this.#turn;
    const ports = Object.values(this.#claims.ports);
    this.#launching = this.#deps.sight.look(run.root, ports).then((seen) => {
      if (signal.aborted) return;
      const stranger = strangerOn(seen);
      if (stranger) this.#lostPort(lostTo(stranger.port, stranger.holder.words));
      else this.#failed(cause);
    });
  }

  /** Claiming the ports again tells who has one, and moves or waits. */
  #lostPort(cause: Cause): void {
    this.#restarts.soon(cause, this.#config.restart.backoff.min);
    this.#become('backoff', cause.detail);
  }

  #failed(cause: Cause): void {
    const { restart } = this.#config;
    const until = this.#upUntil ?? this.#deps.context.clock.monotonic();
    const healthyFor = until - (this.#upSince ?? until);
    this.#upSince = null;
    const { retry, delay, enteredLoop } = this.#restarts.afterFailure(cause, restart, healthyFor);
    this.#become(retry.looping ? 'crash-looping' : 'backoff', cause.detail);
    if (enteredLoop) this.#notices.tell(notice.crashLooping(this.name, restart, retry, cause.detail));
    else if (!retry.looping) this.#notices.tell(notice.startsAgain(delay, cause));
  }

  #become(state: InstanceState, reason: string | null = null): void {
    this.#state = state;
    this.#reason = reason;
    this.#hooks.changed();
  }
}

function lostTo(port: number, holder: string): Cause {
  return { reason: 'lost-port', detail: `port ${port} is held by ${holder}` };
}
