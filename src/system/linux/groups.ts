// Groups of processes that nobody leaves by himself: control groups below this process's own (cgroups(7), version 2).
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { errorCode } from '../../core/errors.ts';
import { isProcessId } from './pids.ts';

const prefix = 'reeve-';
const safeName = /^[A-Za-z0-9-]{1,100}$/;

export interface Groups {
  /** Whether any can be made. */
  readonly areThere: boolean;
  /** What `start` starts is in the group of this name from its first instruction; plainly started where none can be made. */
  enclose<Result>(name: string, start: () => Result): Result;
  /** PIDs, those of groups below it among them; none where there is no such group. */
  members(name: string): number[];
  /** SIGKILL to all of it at once, also to who is being forked. Since Linux 5.14; before, nothing happens. */
  kill(name: string): void;
  /** Removes it if it is empty. */
  dissolve(name: string): void;
}

/** Nothing is looked up before the first use. */
export function createGroups(): Groups {
  let found: string | null | undefined;
  const home = () => {
    if (found === undefined) found = findHome();
    return found;
  };
  /** Undefined before the first use. */
  let canMove: boolean | undefined;
  const folderOf = (name: string) => {
    const base = home();
    return base !== null && safeName.test(name) ? path.join(base, prefix + name) : null;
  };
  /** Once, before the first group: where the way back is barred, this process must not leave. */
  const prepare = () => {
    const base = home();
    if (base === null || !enter(base)) return false;
    removeEmpty(base);
    const probe = path.join(base, `${prefix}probe-${process.pid}`);
    return attempt(() => mkdirSync(probe, 0o755)) && attempt(() => rmdirSync(probe));
  };
  const areThere = () => {
    canMove ??= prepare();
    return canMove;
  };
  return {
    get areThere() {
      return areThere();
    },
    enclose(name, start) {
      const folder = areThere() ? folderOf(name) : null;
      if (folder === null || !attempt(() => mkdirSync(folder, 0o755), ['EEXIST'])) return start();
      // A child is born into the group of its parent, so this process goes there for the fork: to move the child
      // afterwards would miss what it has started by then. Some 0.1 ms, in which this thread does nothing else.
      enter(folder);
      try {
        return start();
      } finally {
        if (!enter(home()!)) canMove = false;
      }
    },
    members(name) {
      const folder = folderOf(name);
      return folder === null ? [] : membersOf(folder);
    },
    kill(name) {
      const folder = folderOf(name);
      if (folder === null || membersOf(folder).includes(process.pid)) return;
      attempt(() => writeFileSync(path.join(folder, 'cgroup.kill'), '1', { flag: 'r+' }));
    },
    dissolve(name) {
      const folder = folderOf(name);
      if (folder !== null) remove(folder);
    },
  };
}

/** The folder of this process's own group; null without version 2, or where it is out of sight of this namespace. */
function findHome(): string | null {
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup'))?.[1];
  if (own === undefined || own.includes('..')) return null;
  const mounts = read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(' - cgroup2 '));
  for (const line of mounts) {
    // Of proc_pid_mountinfo(5): id, parent, device, the root within the file system, where it is mounted.
    const [, , , root = '/', mount = ''] = line.split(' ');
    const below =
      root === '/' ? own : own.startsWith(`${root}/`) || own === root ? own.slice(root.length) : null;
    if (below !== null && !mount.includes('\\')) return path.join(mount, below);
  }
  return null;
}

/** Left by a reeve that was killed together with its keeper. The kernel refuses to remove one that somebody is in. */
function removeEmpty(base: string): void {
  for (const folder of groupsIn(base)) if (path.basename(folder).startsWith(prefix)) remove(folder);
}

function remove(folder: string): void {
  for (const below of groupsIn(folder)) remove(below);
  attempt(() => rmdirSync(folder));
}

/** `0` is who writes it, with all its threads. */
function enter(folder: string): boolean {
  return attempt(() => writeFileSync(path.join(folder, 'cgroup.procs'), '0', { flag: 'r+' }));
}

function membersOf(folder: string): number[] {
  const own = read(path.join(folder, 'cgroup.procs')).split('\n').map(Number).filter(isProcessId);
  return [...own, ...groupsIn(folder).flatMap(membersOf)];
}

function groupsIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
  } catch {
    return [];
  }
}

/** Empty where it is gone, or may not be read. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function attempt(work: () => void, fine: string[] = []): boolean {
  try {
    work();
    return true;
  } catch (error) {
    return fine.includes(errorCode(error) ?? '');
  }
}
