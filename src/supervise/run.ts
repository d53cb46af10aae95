// `reeve run`: one command in the foreground on a port of its own, watched until it listens there, ended as a whole.
import { constants } from 'node:os';
import type { Context } from '../core/context.ts';
import { errorMessage, exit } from '../core/errors.ts';
import { sleep } from '../core/time.ts';
import type { ProcessIdentity, System } from '../system/index.ts';
import type { Keeper } from './keeper-link.ts';
import { launchOf } from './launch.ts';
import { afterFailure, noFailures, type Retry } from './retry.ts';
import { type Command, type CommandEnd, startCommand } from './run-command.ts';
import { untilReady } from './run-ready.ts';
import type { RunReport } from './run-report.ts';
import { RunTree } from './run-tree.ts';
import { type Listener, PortWatch } from './run-watch.ts';

export interface RunSpec {
  /** Of the port: PORT_NAME in the environment. */
  name: string;
  port: number;
  command: string[];
  folder: string;
  env: NodeJS.ProcessEnv;
  /** A listening socket to pass as descriptor 3; null: the command binds the port itself. */
  socket: number | null;
  /** The port is kept by a parked socket meanwhile. */
  parked: boolean;
  restart: boolean;
  /** Milliseconds until it is told that nobody listens yet. */
  readyWithin: number;
  /** Milliseconds from SIGTERM to SIGKILL. */
  stopTimeout: number;
  /** Whether a terminal sends its signals (Ctrl-C) to the command too, now. */
  terminal(): boolean;
}

export interface RunDeps {
  system: System;
  context: Pick<Context, 'clock' | 'random'>;
  keeper: Keeper | null;
  /** Unique to this run, and not to be guessed: it marks the processes that belong to it. */
  mark: string;
  report(report: RunReport): void;
  /** Makes the port lead to where the command listens instead; absent: that is only told. */
  fix?: ((to: Listener) => Promise<void>) | undefined;
}

export interface RunEnd {
  code: number;
  /** What ended the command, to be passed on. */
  signal: NodeJS.Signals | null;
}

/** The defaults of a service's `restart:` in the configuration. */
const restartPolicy = { backoff: { min: 500, max: 60_000 }, limit: { count: 10, perMs: 60_000 } };
/** What a terminal sends to everybody in front of it, or the shell there when it lets them go on. */
const ofTerminals = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGCONT']);
/** Ctrl-C belongs to the command, which may go on. Who presses it so often means reeve. */
const interruptsToStop = 3;
/** A server that cannot bind its port says so and ends at once; one that ends later has another reason. */
const earlyEnd = 10_000;

/** The end of a command that was not started, or not again, since a signal came first. */
function stoppedBefore(signal: NodeJS.Signals): CommandEnd {
  return { code: 128 + constants.signals[signal], signal, words: 'stopped', started: false };
}

/** `readyAt`: when it was seen to listen, on the monotonic clock. */
type RunOutcome = CommandEnd & { readyAt: number | null };

export class Run {
  readonly #spec: RunSpec;
  readonly #deps: RunDeps;
  readonly #tree: RunTree;
  /** Aborts when this run is to end, whatever its command does. */
  readonly #stopping = new AbortController();
  /** Aborts when patience is over. */
  readonly #killing = new AbortController();
  #stoppedBy: NodeJS.Signals = 'SIGTERM';
  #command: Command | null = null;
  #identity: ProcessIdentity | null = null;
  #interrupts = 0;
  #retry: Retry = noFailures;
  #hinted = false;
  /** Why the command is being ended though nobody asked for it. */
  #failed = false;

  constructor(spec: RunSpec, deps: RunDeps) {
    this.#spec = spec;
    this.#deps = deps;
    const { stopTimeout: timeout } = spec;
    this.#tree = new RunTree(deps.system, { mark: deps.mark, timeout, keeper: deps.keeper });
  }

  /** For a process that is started beside the command and outlives it. */
  asideEnv(): Record<string, string> {
    return this.#tree.asideEnv();
  }

  /** Resolves when nobody of it is left. */
  async start(): Promise<RunEnd> {
    const { report } = this.#deps;
    this.#tree.follow();
    try {
      for (;;) {
        const end = await this.#once();
        await this.#tellLeavings(end);
        const left = await this.#tree.end(null, this.#killing.signal);
        if (left.length > 0) report({ kind: 'left', pids: left.map(({ pid }) => pid) });
        if (this.#failed) return { code: exit.no, signal: null };
        const final = { code: end.code, signal: end.signal };
        if (!this.#spec.restart || end.code === 0 || !end.started || this.#isOver(end)) return final;
        const delay = this.#delayAfter(end);
        const stopped = await sleep(delay, this.#stopping.signal).then(
          () => false,
          () => true,
        );
        if (stopped) return stoppedBefore(this.#stoppedBy);
      }
    } finally {
      this.#tree.close();
    }
  }

  /** A signal that reeve got. */
  signal(name: NodeJS.Signals): void {
    const interrupt = name === 'SIGINT' || name === 'SIGQUIT';
    if (interrupt) this.#interrupts += 1;
    if (this.#stopping.signal.aborted && (interrupt || name === 'SIGTERM')) this.#killing.abort();
    else if (name === 'SIGTERM' || this.#interrupts >= interruptsToStop) this.stop(name);
    else if (!this.#command && (interrupt || name === 'SIGHUP')) this.stop(name);
    // The command has it already, and twice would mean "at once" to many programs.
    else if (!ofTerminals.has(name) || !this.#spec.terminal()) this.#command?.signal(name);
  }

  /** SIGTERM to the command, later to the others of its tree, and SIGKILL when the time is over. */
  stop(by: NodeJS.Signals = 'SIGTERM'): void {
    if (this.#stopping.signal.aborted) return;
    this.#stoppedBy = by;
    this.#stopping.abort();
    const command = this.#command;
    if (!command) return;
    const kill = () => command.signal('SIGKILL');
    this.#killing.signal.addEventListener('abort', kill);
    command.signal('SIGTERM');
    if (this.#tree.canFollow) void this.#tree.end(this.#identity, this.#killing.signal);
    // Where the tree cannot be followed, the command at least is ended.
    else setTimeout(kill, this.#spec.stopTimeout).unref();
  }

  async #once(): Promise<RunOutcome> {
    const { name, port, socket, folder } = this.#spec;
    const { system, context, report } = this.#deps;
    const { clock } = context;
    const config = { command: this.#spec.command, cwd: undefined, env: this.#tree.plant() };
    const plain = launchOf(config, { [name]: port }, this.#spec.env, folder);
    const launch = system.startable?.(plain) ?? plain;
    const watch = await this.#openWatch();
    if (this.#stopping.signal.aborted) return { ...stoppedBefore(this.#stoppedBy), readyAt: null };
    const watching = new AbortController();
    const startedAt = clock.monotonic();
    let readyAt: number | null = null;
    const command = this.#tree.start(() => startCommand(launch, socket));
    this.#command = command;
    this.#interrupts = 0;
    if (command.pid !== null && this.#tree.canFollow) {
      this.#identity = await system.processes.identify(command.pid);
    }
    if (watch && command.pid !== null) {
      const { readyWithin } = this.#spec;
      const options = { port, readyWithin, clock, report, fix: this.#deps.fix };
      void untilReady(watch, options, watching.signal).then((outcome) => {
        if (outcome === 'ready') readyAt = clock.monotonic();
        if (outcome !== 'stranger') return;
        this.#failed = true;
        this.stop();
      });
    }
    const end = await command.ended;
    watching.abort();
    this.#command = null;
    if (!end.started) report({ kind: 'ended', words: end.words });
    else if (readyAt === null && clock.monotonic() - startedAt < earlyEnd) this.#hintAtParking(end);
    return { ...end, readyAt };
  }

  /** A server that was sent into the background, by a script that then ended, would vanish without a word. */
  async #tellLeavings({ code, readyAt }: RunOutcome): Promise<void> {
    if (code !== 0 || readyAt === null || this.#stopping.signal.aborted || this.#interrupts > 0) return;
    const processes = (await this.#tree.members()).map(({ pid, name }) => ({ pid, name }));
    if (processes.length > 0) this.#deps.report({ kind: 'swept', processes });
  }

  /** Who pressed Ctrl-C, or closed the terminal, does not want it started again. To many servers SIGHUP means "reload". */
  #isOver({ signal }: CommandEnd): boolean {
    return this.#stopping.signal.aborted || this.#interrupts > 0 || signal === 'SIGHUP';
  }

  /** Once: what is true of the first start is true of the next. */
  #hintAtParking({ code }: CommandEnd): void {
    const asked = this.#stopping.signal.aborted || this.#interrupts > 0;
    // Signals, also as a shell passes them on, and programs that are not there have told their reason.
    const toldWhy = code === 0 || code >= 126;
    if (!this.#spec.parked || toldWhy || asked || this.#hinted) return;
    this.#hinted = true;
    this.#deps.report({ kind: 'parked-hint', port: this.#spec.port });
  }

  #delayAfter({ words, readyAt }: RunOutcome): number {
    const { clock, random } = this.#deps.context;
    const now = clock.monotonic();
    const healthyFor = readyAt === null ? 0 : now - readyAt;
    const { retry, delay, enteredLoop } = afterFailure(this.#retry, healthyFor, now, restartPolicy, random);
    this.#retry = retry;
    this.#deps.report({
      kind: 'restart',
      delay: Math.round(delay),
      reason: words,
      looping: retry.looping,
      entered: enteredLoop,
    });
    return delay;
  }

  /** Null where nobody can see who listens. */
  async #openWatch(): Promise<PortWatch | null> {
    const { system, report } = this.#deps;
    try {
      const watch = new PortWatch(system, this.#spec.port, () => this.#tree.members());
      await watch.begin();
      return watch;
    } catch (error) {
      report({ kind: 'blind', reason: errorMessage(error) });
      return null;
    }
  }
}
