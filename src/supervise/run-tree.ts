// The tree of one `reeve run`: followed while it lives, reported to the keeper, reaped, and ended as a whole.
import type { ProcessIdentity, ProcessNode, System } from '../system/index.ts';
import { endTree, keyOf, markName, membersOf } from '../system/index.ts';
import type { Keeper } from './keeper-link.ts';

/** At first programs start others; later the look costs more than it finds. Milliseconds. */
const lookEvery = { first: 250, later: 2000 };
const firstFor = 10_000;

export interface RunTreeOptions {
  mark: string;
  /** Milliseconds from SIGTERM to SIGKILL. */
  timeout: number;
  keeper: Keeper | null;
}

export class RunTree {
  readonly #system: System;
  readonly #options: RunTreeOptions;
  /** Where orphans become children of this process, parents tell everything: no environment need be read. */
  readonly #adopts: boolean;
  /** Who started those that belong to no tree, though orphans of theirs become children of this process. */
  readonly #asideMark: string;
  #hasAside = false;
  #known: ProcessIdentity[] = [];
  #zombies: ReadonlySet<number> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #empty = true;
  readonly #began = performance.now();

  constructor(system: System, options: RunTreeOptions) {
    this.#system = system;
    this.#options = options;
    this.#adopts = system.containment.adoptOrphans();
    system.containment.endWithThis();
    this.#asideMark = `aside-${options.mark}`;
    // Before anything is started: were this process killed in the next moment, the mark would tell.
    options.keeper?.keep(options.mark, [], options.timeout);
  }

  /** Whether more than the command itself can be found and ended here. */
  get canFollow(): boolean {
    return this.#system.containment.abilities.findsMarked;
  }

  /** Starts the command, which has what `plant` gave in its environment. */
  start<Result>(start: () => Result): Result {
    return this.#system.containment.enclose(this.#options.mark, start);
  }

  /** For the command's environment: from now on somebody may be in the tree. */
  plant(): Record<string, string> {
    this.#empty = false;
    return { [markName]: this.#options.mark };
  }

  /** For what is started beside the command and shall outlive it, such as a browser. */
  asideEnv(): Record<string, string> {
    this.#hasAside = true;
    return { [markName]: this.#asideMark };
  }

  /** Everybody in it now. */
  async members(): Promise<ProcessNode[]> {
    return this.canFollow ? this.#look(!this.#adopts) : [];
  }

  /** Looks again and again until `close`. */
  follow(): void {
    if (!this.canFollow) return;
    const { first, later } = lookEvery;
    const again = () => {
      if (this.#closed) return;
      const young = performance.now() - this.#began < firstFor;
      this.#timer = setTimeout(
        () => {
          // A look that fails (no descriptors left) is tried again.
          void this.members()
            .then(() => this.#reap())
            .catch(() => {})
            .finally(again);
        },
        young ? first : later,
      );
      this.#timer.unref();
    };
    again();
  }

  /** Ends whoever is in it; returns those who could not be ended. See endTree. */
  async end(told: ProcessIdentity | null, now?: AbortSignal): Promise<ProcessIdentity[]> {
    if (!this.canFollow) return [];
    const { mark, timeout } = this.#options;
    const { containment } = this.#system;
    const killAll = () => containment.killEnclosed(mark);
    const left = await endTree(() => this.#look(true), this.#system, { timeout, told, killAll }, now);
    this.#empty = left.length === 0;
    containment.dissolve(mark);
    return left;
  }

  /** Where somebody may be left, because of a fault here, it is the keeper's. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#empty) this.#options.keeper?.forget(this.#options.mark);
  }

  async #look(thoroughly: boolean): Promise<ProcessNode[]> {
    const { mark, keeper, timeout } = this.#options;
    const members = await membersOf(this.#system, {
      mark: thoroughly ? mark : null,
      known: this.#known,
      adopter: this.#adopts ? process.pid : null,
      spared: await this.#spared(),
    });
    const before = new Set(this.#known.map(keyOf));
    this.#known = members.map(({ pid, start }) => ({ pid, start }));
    const changed = members.length !== before.size || members.some((one) => !before.has(keyOf(one)));
    if (changed) keeper?.keep(mark, this.#known, timeout);
    return members;
  }

  async #spared(): Promise<ReadonlySet<number>> {
    const aside = this.#hasAside ? await this.#system.containment.marked(markName, this.#asideMark) : [];
    const { pid } = this.#options.keeper ?? { pid: null };
    return new Set([...aside.map((one) => one.pid), ...(pid === null ? [] : [pid])]);
  }

  /**
   * Orphans that ended wait for this process. Node reaps what it started itself in the turn after SIGCHLD: whoever
   * has been waiting since the last look is not Node's, and only those are taken.
   */
  #reap(): void {
    const waiting = this.#system.containment.zombies();
    for (const pid of waiting) if (this.#zombies.has(pid)) this.#system.containment.reap(pid);
    this.#zombies = new Set(waiting);
  }
}
