// Which of a port's holders is the parent of the others, and whether it is reeve's own daemon. Pure.
import path from 'node:path';
import type { ProcessFacts, ProcessNode } from '../system/index.ts';
import { ancestorsOf } from './lookup.ts';

/** Without those that one of the others has started, such as the workers of a server that all have its socket open. */
export function eldest(holders: ProcessFacts[], tree: ReadonlyMap<number, ProcessNode>): ProcessFacts[] {
  const pids = new Set(holders.map(({ pid }) => pid));
  return holders.filter(({ pid }) => !ancestorsOf(pid, tree).some((parent) => pids.has(parent.pid)));
}

/** The command that ends it, if the process is `reeve up`; null for any other. */
export function downCommand({ command, cwd }: Pick<ProcessFacts, 'command' | 'cwd'>): string | null {
  const at = command.findIndex((word) => /^reeve(\.cjs|\.ts)?$/.test(path.basename(word)));
  const words = at < 0 ? [] : command.slice(at + 1);
  if (words.find((word) => !word.startsWith('-')) !== 'up') return null;
  const file = configIn(words) ?? 'reeve.yaml';
  const whole = path.isAbsolute(file) ? file : cwd && path.join(cwd, file);
  return whole && /^[\w./:@+-]+$/.test(whole) ? `reeve down -c ${whole}` : 'reeve down';
}

function configIn(words: string[]): string | null {
  for (const [i, word] of words.entries()) {
    if (word === '-c' || word === '--config') return words[i + 1] ?? null;
    const joined = /^(?:--config=|-c)(.+)$/.exec(word);
    if (joined) return joined[1]!;
  }
  return null;
}
