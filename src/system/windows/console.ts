// Ctrl-C for the console of another process. A helper does it: whoever attaches to that console hears it too.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ProcessIdentity, ProcessNode } from '../system.ts';
import { ancestorPids } from './family.ts';

/** Longer than Node needs to start on a busy machine. */
const helperMs = 10_000;

/** What the helper ends with. */
export const interruptResult = { sent: 0, noConsole: 3, shared: 4, gone: 5 } as const;

/** A second Ctrl-C means "at once" to many programs; those on one console have all heard the first. */
const heardMs = 1000;

/** False where it has no console, or shares one with processes that are not to be ended. */
export type InterruptConsole = (identity: ProcessIdentity) => Promise<boolean>;

export function createInterrupt(list: () => ProcessNode[], now: () => number): InterruptConsole {
  const pressed = new Map<number, number>();
  return async (identity) => {
    for (const [pid, at] of pressed) if (now() - at > heardMs) pressed.delete(pid);
    const tree = new Map(list().map((node) => [node.pid, node]));
    const line = pressed.size > 0 ? [identity.pid, ...ancestorPids(identity.pid, tree)] : [];
    if (line.some((pid) => pressed.has(pid))) return true;
    const heard = await press(identity);
    if (heard) pressed.set(identity.pid, now());
    return heard;
  };
}

async function press({ pid, start }: ProcessIdentity): Promise<boolean> {
  const file = helperFile();
  if (file === null) return false;
  const child = spawn(process.execPath, [file, String(pid), start, String(process.pid)], {
    // A console of its own, which it leaves at once.
    windowsHide: true,
    stdio: 'ignore',
    timeout: helperMs,
  });
  let timer: NodeJS.Timeout | undefined;
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
    // Its end may go unheard (seen under Wine): nobody waits longer than for one that is killed for being late.
    timer = setTimeout(resolve, helperMs + 1000, null);
  });
  clearTimeout(timer);
  return code === interruptResult.sent;
}

/** Null in a checkout that was not built. Shared parts of the bundles are a folder deeper than the others. */
function helperFile(): string | null {
  const places = ['./console-interrupt.js', '../console-interrupt.js'];
  const files = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return files.find((file) => existsSync(file)) ?? null;
}

/**
 * Ctrl-C reaches all who are attached to a console. It may be sent where those are the process itself, what it
 * started, and the shell that waits for it: what a person at that console would do. Never to the asking reeve's own.
 */
export function mayInterrupt(
  attached: number[],
  target: number,
  asking: number,
  nodes: readonly ProcessNode[],
): boolean {
  const tree = new Map(nodes.map((node) => [node.pid, node]));
  const above = new Set(ancestorPids(target, tree));
  const own = new Set([asking, ...ancestorPids(asking, tree)]);
  return attached.every((pid) => {
    if (own.has(pid)) return false;
    return pid === target || above.has(pid) || ancestorPids(pid, tree).includes(target);
  });
}
