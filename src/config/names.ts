// Names that one part of the configuration uses for another: each must exist, and a near miss is guessed.
import { nearest } from '../core/nearest.ts';
import type { Path } from './problems.ts';
import { sections } from './raw.ts';

export type ReportRule = (path: Path, message: string, on?: 'key') => unknown;

export function mustExist(at: Path, kind: string, name: string, root: unknown, report: ReportRule): boolean {
  const names = sections(root, `${kind}s`).map(([known]) => known);
  if (names.includes(name)) return true;
  const guess = nearest(name, names);
  const known =
    names.length === 0 ? `there are no ${kind}s` : `${kind}s are ${names.slice(0, 20).join(', ')}`;
  report(at, `no ${kind} is named '${name}': ${guess === null ? known : `did you mean '${guess}'?`}`);
  return false;
}
