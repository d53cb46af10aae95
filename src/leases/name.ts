// The name of a lease: what may be one, and the one that a project gets by itself.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ReeveError } from '../core/errors.ts';

const form = /^[A-Za-z0-9@_][A-Za-z0-9@_./-]{0,127}$/;
const longest = 128;

/** @throws ReeveError `usage` */
export function assertLeaseName(name: string): void {
  if (form.test(name)) return;
  throw new ReeveError(
    'usage',
    `${JSON.stringify(name.slice(0, 130))} cannot name a lease: letters, digits and @ _ . / - serve, at most 128`,
  );
}

/**
 * The name in the nearest package.json, else the folder's own; with `@ID` in a linked git worktree, so that each
 * worktree of a project has ports of its own.
 */
export async function projectName(folder: string): Promise<string> {
  const [named, worktree] = await Promise.all([nearest(folder, packageName), nearest(folder, worktreeId)]);
  const base = named ?? (cleaned(path.basename(path.resolve(folder))) || 'root');
  const name = `${base}${worktree ? `@${worktree}` : ''}`;
  return name.length <= longest ? name : `${name.slice(0, longest - 9)}-${digest(name)}`;
}

/** Asks a folder and then its parents; `look` answers undefined to go on, null to stop. */
async function nearest(
  folder: string,
  look: (folder: string) => Promise<string | null | undefined>,
): Promise<string | null> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const found = await look(at);
    if (found !== undefined) return found;
    if (path.dirname(at) === at) return null;
  }
}

async function packageName(folder: string): Promise<string | null | undefined> {
  const text = await readSmall(path.join(folder, 'package.json'));
  if (text === null) return undefined;
  try {
    // Some editors of Windows begin a file with a byte order mark; npm bears it too.
    const { name } = JSON.parse(text.replace(/^\uFEFF/, '')) as { name?: unknown };
    return (typeof name === 'string' && cleaned(name)) || undefined;
  } catch {
    return undefined;
  }
}

/**
 * In a linked worktree `.git` is a file: `gitdir: …/.git/worktrees/ID` (gitrepository-layout); in a submodule there,
 * `/modules/NAME` follows.
 */
async function worktreeId(folder: string): Promise<string | null | undefined> {
  const text = await readSmall(path.join(folder, '.git'));
  if (text === null) return undefined;
  const match = /^gitdir: .*[/\\]worktrees[/\\]([^/\\\r\n]+)(?:[/\\]modules[/\\].+)?\s*$/.exec(text);
  return (match && cleaned(match[1]!)) || null;
}

/** Null where there is no such file, also where it is a folder. */
async function readSmall(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).slice(0, 1_000_000);
  } catch {
    return null;
  }
}

/** What may not be in a name becomes `-`; of letters beyond ASCII a digest is left, so that names differ that did. */
function cleaned(text: string): string {
  const name = text.replace(/[^A-Za-z0-9@_./-]+/g, '-').replace(/^[-./]+|[-./]+$/g, '');
  if (!/\p{L}|\p{N}/u.test(text.replace(/[A-Za-z0-9]+/g, ''))) return name;
  return name ? `${name}-${digest(text)}` : digest(text);
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8);
