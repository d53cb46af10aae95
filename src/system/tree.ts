// Everybody who descends from one command, also those who detached themselves, and how all of them are ended.
import { isReeveError } from '../core/errors.ts';
import { sleep } from '../core/time.ts';
import type { ProcessIdentity, ProcessNode, System } from './system.ts';

/** The variable in the environment of a command and all that it starts; its value is unique to one start. */
export const markName = 'REEVE_RUN';
const lookEvery = 25;
/** A process that SIGKILL has not ended by then is stuck in the kernel: waiting longer helps nobody. */
const killWithin = 5000;

type Watched = Pick<System, 'processes' | 'containment'>;

/** What is known of a tree: whoever fits any of it, and all that they started, belongs to it. */
export interface TreeTrace {
  /** Null: environments need not be read. */
  mark: string | null;
  /** Seen in it before. */
  known: Iterable<ProcessIdentity>;
  /** A process whose every child belongs to it: this one, where it adopts orphans. */
  adopter: number | null;
  /** Never belong to it, nor does what they start. */
  spared: ReadonlySet<number>;
}

/** Those that live now. A zombie does not. Never this process or one of those above it. */
export async function membersOf(system: Watched, trace: TreeTrace): Promise<ProcessNode[]> {
  const { processes, containment } = system;
  const marked = trace.mark === null ? [] : await containment.marked(markName, trace.mark);
  const all = await processes.list();
  const own = lineOf(process.pid, all);
  const nodes = all.filter(({ pid }) => !own.has(pid) && !trace.spared.has(pid));
  const seeds = new Set([...marked, ...trace.known].map(keyOf));
  const members = new Map<number, ProcessNode>();
  for (const node of nodes) {
    const adopted = trace.adopter !== null && node.parent === trace.adopter;
    if (adopted || seeds.has(keyOf(node))) members.set(node.pid, node);
  }
  const others = nodes.filter(({ pid }) => !members.has(pid));
  for (let found = true; found; ) {
    found = false;
    for (const node of others) {
      const parent = members.get(node.parent ?? 0);
      if (!parent || members.has(node.pid) || !(await isChild(node, parent, system))) continue;
      members.set(node.pid, node);
      found = true;
    }
  }
  return [...members.values()];
}

/** This process, those that it lives in, and the system's first one: no trace may ever lead to them. */
function lineOf(self: number, nodes: ProcessNode[]): ReadonlySet<number> {
  const parents = new Map(nodes.map(({ pid, parent }) => [pid, parent]));
  const line = new Set([1]);
  for (let pid: number | null = self; pid !== null && !line.has(pid); pid = parents.get(pid) ?? null)
    line.add(pid);
  return line;
}

/**
 * A list of processes is not of one moment, so a PID in it may have changed hands. The parent was there before this
 * look and is there after it: in between, its PID meant nobody else.
 */
async function isChild(node: ProcessNode, parent: ProcessNode, { processes }: Watched): Promise<boolean> {
  const now = await processes.facts(node.pid);
  if (now?.start !== node.start || now.parent !== parent.pid) return false;
  return (await processes.identify(parent.pid))?.start === parent.start;
}

export interface EndPolicy {
  /** Milliseconds from SIGTERM to SIGKILL. */
  timeout: number;
  /** Has been told already, and may tell the others itself: they hear from us when it is gone, or at half the time. */
  told?: ProcessIdentity | null;
  /** Ends all that can be ended at one stroke, before each is on its own. */
  killAll?: () => void;
}

/**
 * Ends everybody that `find` finds, also those that it finds only later. Returns who is left: those that may not
 * be signalled, or that not even SIGKILL ended. When `now` aborts, SIGKILL follows at once.
 */
export async function endTree(
  find: () => Promise<ProcessIdentity[]>,
  { processes }: Pick<System, 'processes'>,
  { timeout, told, killAll }: EndPolicy,
  now?: AbortSignal,
): Promise<ProcessIdentity[]> {
  const started = performance.now();
  const asked = new Set(told ? [keyOf(told)] : []);
  const refused = new Set<string>();
  const unheard = new Set<string>();
  const send = async (one: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL') => {
    try {
      if ((await processes.signal(one, signal)) === 'unheard') unheard.add(keyOf(one));
    } catch (error) {
      if (!isReeveError(error) || error.code !== 'privilege') throw error;
      refused.add(keyOf(one));
    }
  };
  let killingSince: number | null = null;
  // Who forks while the list is read may be in it neither before nor after: only twice nobody is nobody.
  for (let empty = 0; empty < 2; ) {
    const members = await find();
    const rest = members.filter((one) => !refused.has(keyOf(one)));
    empty = rest.length === 0 ? empty + 1 : 0;
    if (empty > 0) continue;
    const waited = performance.now() - started;
    if (killingSince === null && (now?.aborted || waited >= timeout)) killingSince = performance.now();
    if (killingSince !== null) {
      if (performance.now() - killingSince > killWithin) return members;
      killAll?.();
      for (const one of rest) await send(one, 'SIGKILL');
    } else {
      const leader = told && rest.some((one) => keyOf(one) === keyOf(told));
      for (const one of leader && waited < timeout / 2 ? [] : rest) {
        if (asked.has(keyOf(one))) continue;
        asked.add(keyOf(one));
        await send(one, 'SIGTERM');
      }
      // Nobody is left who could do anything with more time.
      if (rest.every((one) => unheard.has(keyOf(one)))) killingSince = performance.now();
    }
    await sleep(lookEvery);
  }
  return refused.size === 0 ? [] : find();
}

/** endTree for all that bear a mark, are in its group, or descend from one that is known. */
export async function endMarked(
  system: Watched,
  { mark, known, timeout }: { mark: string; known: Iterable<ProcessIdentity>; timeout: number },
): Promise<ProcessIdentity[]> {
  const { containment } = system;
  const find = () => membersOf(system, { mark, known, adopter: null, spared: new Set() });
  const left = await endTree(find, system, { timeout, killAll: () => containment.killEnclosed(mark) });
  containment.dissolve(mark);
  return left;
}

export function keyOf({ pid, start }: ProcessIdentity): string {
  return `${pid} ${start}`;
}
