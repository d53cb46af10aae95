// The keeper: a small process beside reeve that ends what reeve ran when reeve itself is gone without having done so.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ProcessIdentity, System } from '../system/index.ts';
import { endMarked } from '../system/index.ts';

/** The variable that has the notes from before its start, a list in JSON. */
export const firstNotes = 'REEVE_KEEPS';

/** One line from reeve, as JSON: who belongs to a tree now, or that nobody does any more. */
export type KeeperNote = { mark: string; known: ProcessIdentity[]; timeout: number } | { mark: string };

/**
 * Resolves when the input has ended and nobody is left. The input ends when reeve does, however it does: the kernel
 * closes the pipe. Whatever reeve had not reported as gone by then is ended here.
 */
export async function runKeeper(input: Readable, env: NodeJS.ProcessEnv, system: System): Promise<void> {
  const trees = new Map<string, Extract<KeeperNote, { timeout: number }>>();
  const take = (note: KeeperNote) => {
    if ('known' in note) trees.set(note.mark, note);
    else trees.delete(note.mark);
  };
  for (const note of JSON.parse(env[firstNotes] ?? '[]') as KeeperNote[]) take(note);
  for await (const line of createInterface({ input })) {
    const note = parseNote(line);
    if (note) take(note);
  }
  await Promise.all([...trees.values()].map((tree) => endMarked(system, tree)));
}

/** Null for half a line, which reeve was writing when it was killed. */
function parseNote(line: string): KeeperNote | null {
  try {
    return JSON.parse(line) as KeeperNote;
  } catch {
    return null;
  }
}
