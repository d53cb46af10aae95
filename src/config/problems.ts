// What is wrong with a configuration, and where: the shape of a problem and its text.
import { printable } from '../core/text.ts';

/** A way into the configuration: `['listeners', 'web', 'bind', 0]`. */
export type Path = (string | number)[];

/** One thing to correct. `line` and `column` count from 1; `path` is empty for the file as a whole. */
export interface ConfigProblem {
  file: string;
  line: number;
  column: number;
  path: string;
  message: string;
}

/** A problem before its place in the text is known; `on` says whether the key or the value is at fault. */
export interface Fault {
  path: Path;
  message: string;
  on?: 'key' | 'value';
}

/** What a person can still read through; the rest is counted. */
const maxShown = 50;

/** `listeners.web.bind[0]`; keys that are no names are quoted. */
export function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      const text = /^[\w-]+$/.test(step) ? step : JSON.stringify(brief(step));
      return i === 0 ? text : `.${text}`;
    })
    .join('');
}

/** One `file:line:column: path: message` a line. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const lines = problems
    .slice(0, maxShown)
    .map(({ file, line, column, path, message }) =>
      [`${file}:${line}:${column}`, ...(path === '' ? [] : [path]), message].join(': '),
    );
  if (problems.length > maxShown) lines.push(`… and ${problems.length - maxShown} more`);
  return lines.join('\n');
}

/** A value as a message names it: `text 'x'`, `number 5`, `a list`. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return value === '' ? 'empty text' : `text '${brief(value)}'`;
  if (typeof value === 'number') return `number ${value}`;
  return typeof value === 'object' ? 'a map' : String(value);
}

/** What a message says of a value of the wrong kind, or of none. */
export function expected(what: string, input: unknown): string {
  return input === undefined ? `is missing: expected ${what}` : `expected ${what}, got ${show(input)}`;
}

/** Text from the file, made safe to print and short. */
export function brief(text: string, most = 60): string {
  const safe = printable(text.slice(0, 4 * most));
  return safe.length > most || text.length > 4 * most ? `${safe.slice(0, most)}…` : safe;
}
