// Whether a running instance answers, and whether it is really the instance that does.
import type { ServiceConfig } from '../config/index.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import { alertPolicy, type Check, targetProbe } from '../health/index.ts';
import type { Ports } from './launch.ts';
import { type Root, type Seen, type Stranger, strangerOn } from './sight.ts';
import type { SuperviseDeps } from './status.ts';

/** A program that has just been started may take so long before failed probes count. */
const startGrace = 10_000;
/** A program may open other ports before its own: only after so long it is said to listen on the wrong one. */
const misplacedAfter = 5_000;
/** Milliseconds; each further look comes after twice the time. */
const firstLook = 1_000;

export interface Watched {
  name: string;
  config: Pick<ServiceConfig, 'check' | 'verify'>;
  ports: Ports;
  root: Root;
}

export interface WatchHooks {
  /** It answers, and nobody else does so in its place. */
  up(): void;
  down(summary: string): void;
  /** Somebody else listens on its port. */
  lost(port: number, holder: Stranger): void;
  /** It listens on these, and not on its own. At most once. */
  misplaced(elsewhere: readonly string[]): void;
}

export class Watch {
  readonly #watched: Watched;
  readonly #deps: SuperviseDeps;
  readonly #hooks: WatchHooks;
  readonly #check: Check;
  readonly #began: number;
  #nextLook: number;
  /** The verdict that was acted on last. */
  #judged: HealthVerdict = 'unknown';
  #proven: boolean;
  /** The sockets that connections reached when that was proven. */
  #reached: string | null = null;
  #toldMisplaced = false;
  #looking = false;
  #stopped = false;

  constructor(watched: Watched, deps: SuperviseDeps, hooks: WatchHooks) {
    const { name, config } = watched;
    const { interval, timeout, fall, rise, fastInterval } = config.check;
    this.#watched = watched;
    this.#deps = deps;
    this.#hooks = hooks;
    this.#proven = !config.verify;
    this.#began = this.#now();
    this.#nextLook = this.#began + firstLook;
    this.#check = deps.scheduler.add({
      name: `service/${name}`,
      ...targetProbe(config.check, '127.0.0.1', this.#port),
      timing: { interval, timeout, fall, rise, fastInterval },
      graceMs: startGrace,
      emits: false,
      alerts: alertPolicy(config.check),
      onResult: () => this.#heard(),
    });
  }

  get verdict(): HealthVerdict {
    return this.#check.state.verdict;
  }

  stop(): void {
    this.#stopped = true;
    this.#check.stop();
  }

  /** The port that is probed. */
  get #port(): number {
    const { ports, config } = this.#watched;
    return config.check.port === undefined ? Object.values(ports)[0]! : ports[config.check.port]!;
  }

  #heard(): void {
    if (this.#stopped) return;
    const isTime = this.verdict === 'up' || (!this.#proven && this.#now() >= this.#nextLook);
    if (this.#watched.config.verify && isTime) void this.#lookAround();
    this.#judge();
  }

  #judge(): void {
    const { verdict } = this;
    if (verdict === this.#judged || (verdict === 'up' && !this.#proven)) return;
    this.#judged = verdict;
    if (verdict === 'up') this.#hooks.up();
    else this.#hooks.down(this.#check.summary);
  }

  async #lookAround(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { sight } = this.#deps;
    const { root } = this.#watched;
    const ports = Object.values(this.#watched.ports);
    const reached = await sight.reached(ports);
    // Somebody else may listen there only later: the same sockets are whose they were.
    const isAsProven = this.#proven && reached === this.#reached;
    const seen = isAsProven ? null : await sight.look(root, ports);
    this.#reached = reached;
    this.#looking = false;
    if (!this.#stopped && !isAsProven) this.#take(seen);
  }

  #take(seen: Seen | null): void {
    const now = this.#now();
    this.#nextLook = now + Math.max(firstLook, now - this.#began);
    const stranger = strangerOn(seen);
    if (stranger) {
      this.#hooks.lost(stranger.port, stranger.holder);
      return;
    }
    const own = seen?.on.get(this.#port) ?? 'unknown';
    if (this.verdict === 'up') {
      this.#proven = true;
      this.#judge();
    } else if (own === 'nobody' && seen!.elsewhere.length > 0 && now - this.#began >= misplacedAfter) {
      if (!this.#toldMisplaced) this.#hooks.misplaced(seen!.elsewhere);
      this.#toldMisplaced = true;
    }
  }

  #now(): number {
    return this.#deps.context.clock.monotonic();
  }
}
