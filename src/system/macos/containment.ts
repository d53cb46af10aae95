// Keeps hold of what was started, as far as macOS lets: by process groups, and by a mark in environments.
import type { Containment } from '../system.ts';
import type { Ask } from './ask.ts';
import type { ListedProcess } from './process-info.ts';

/**
 * macOS has no subreaper, and nothing that a process cannot leave. A child that makes a session of its own and hides
 * its environment (as Apple's own programs do) is found only while its parent lives.
 */
export function createContainment(ask: Ask): Containment {
  const leaders = new Map<string, ListedProcess[]>();
  const children = () => ask.processes().filter(({ parent }) => parent === process.pid);
  return {
    abilities: { adoptsOrphans: false, findsMarked: true, endsWithThis: false, encloses: false },
    adoptOrphans: () => false,
    endWithThis: () => false,
    enclose(mark, start) {
      const before = new Set(children().map(keyOf));
      const result = start();
      const leads = children().filter((child) => child.group === child.pid && !before.has(keyOf(child)));
      if (leads.length > 0) leaders.set(mark, [...(leaders.get(mark) ?? []), ...leads]);
      return result;
    },
    killEnclosed() {},
    dissolve: (mark) => void leaders.delete(mark),
    async marked(name, value) {
      const all = ask.processes();
      const entry = `${name}=${value}`;
      const groups = ownGroups(leaders.get(value) ?? [], all);
      return all
        .filter(({ pid, group }) => groups.has(group) || ask.arguments(pid)?.environment.includes(entry))
        .map(({ pid, start }) => ({ pid, start }));
    },
    zombies: () => [],
    reap: () => false,
  };
}

/**
 * The number of a group stays taken while anybody is in it. One whose members all began before its leader, or whose
 * number belongs to another process by now, is somebody else's.
 */
function ownGroups(leaders: readonly ListedProcess[], all: readonly ListedProcess[]): Set<number> {
  return new Set(
    leaders
      .filter((leader) => {
        const members = all.filter(({ group }) => group === leader.pid);
        const holder = all.find(({ pid }) => pid === leader.pid);
        if (holder && holder.start !== leader.start) return false;
        return members.every(({ startedAt }) => startedAt >= leader.startedAt);
      })
      .map(({ pid }) => pid),
  );
}

const keyOf = ({ pid, start }: ListedProcess) => `${pid} ${start}`;
