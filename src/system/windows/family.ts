// Lines of descent in a list of processes.
import type { ProcessNode } from '../system.ts';

/** Parent first; ends at a loop. */
export function ancestorPids(pid: number, tree: ReadonlyMap<number, ProcessNode>): number[] {
  const line: number[] = [];
  for (let at = tree.get(pid)?.parent ?? null; at !== null && !line.includes(at); ) {
    line.push(at);
    at = tree.get(at)?.parent ?? null;
  }
  return line;
}
