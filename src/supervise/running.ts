// One run of an instance: its process, the mark that its descendants bear, and the watch over it.
import { randomUUID } from 'node:crypto';
import type { ServiceConfig } from '../config/index.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import { markName } from '../system/index.ts';
import { asUser } from './account.ts';
import { type Child, type ChildHooks, type Ending, type StopPolicy, startChild } from './child.ts';
import type { KeptTree } from './kept-tree.ts';
import { type Launch, launchOf, type Ports } from './launch.ts';
import { withLimits } from './limits.ts';
import type { Output } from './output.ts';
import type { Root } from './sight.ts';
import type { SuperviseDeps } from './status.ts';
import { Watch, type WatchHooks } from './watch.ts';

export interface RunSpec {
  name: string;
  config: ServiceConfig;
  ports: Ports;
  output: Output;
}

export interface RunHooks extends WatchHooks {
  /** Once: in the turn in which the exit is seen, or, in a stop, when the whole group is gone. */
  ended(run: Running, ending: Ending): void;
}

/** @throws ReeveError where the user cannot be had. */
export async function prepareLaunch(
  { config, ports }: Pick<RunSpec, 'config' | 'ports'>,
  { env, folder, startable }: SuperviseDeps,
): Promise<Launch> {
  const launch = await asUser(launchOf(config, ports, env, folder), config.user);
  return withLimits(startable?.(launch) ?? launch, config.limits);
}

export class Running {
  /** Null when it could not be started. */
  readonly pid: number | null;
  /** Wall clock in milliseconds. */
  readonly startedAt: number;
  readonly root: Root;
  readonly #spec: RunSpec;
  readonly #deps: SuperviseDeps;
  readonly #hooks: RunHooks;
  readonly #child: Child;
  readonly #tree: KeptTree;
  #watch: Watch | null = null;

  constructor(launch: Launch, spec: RunSpec, deps: SuperviseDeps, hooks: RunHooks) {
    const mark = randomUUID();
    this.#spec = spec;
    this.#deps = deps;
    this.#hooks = hooks;
    this.startedAt = deps.context.clock.wall();
    this.#tree = deps.trees.plant(mark, spec.config.stop.timeout);
    const marked = { ...launch, env: { ...launch.env, [markName]: mark } };
    const on: ChildHooks = {
      output: (stream, readable) => spec.output.attach(stream, readable),
      exit: (ending) => {
        this.unwatch();
        void this.#tree.end();
        hooks.ended(this, ending);
      },
      ask: (pid) => this.#tree.ask(pid),
      memoryKills: () => deps.memoryKills?.() ?? null,
    };
    this.#child = this.#tree.start(() => startChild(marked, on));
    this.pid = this.#child.pid;
    this.root = { pid: this.pid, mark };
  }

  get verdict(): HealthVerdict {
    return this.#watch?.verdict ?? 'unknown';
  }

  /** Anew where it is watched already. */
  watch(config: Pick<ServiceConfig, 'check' | 'verify'>): void {
    this.unwatch();
    const { name, ports } = this.#spec;
    this.#watch = new Watch({ name, config, ports, root: this.root }, this.#deps, this.#hooks);
  }

  unwatch(): void {
    this.#watch?.stop();
  }

  /**
   * Ends the whole group, then those who have left it; resolves when they are gone. False if not even SIGKILL
   * ended the leader in time.
   */
  async stop(policy: StopPolicy): Promise<boolean> {
    this.unwatch();
    const ended = await this.#child.stop(policy);
    await this.#tree.end();
    return ended;
  }
}
