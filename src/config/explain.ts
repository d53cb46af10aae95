// zod's issues in the words of the file: what was expected, what is there instead.
import * as z from 'zod';
import { nearest } from '../core/nearest.ts';
import { brief, expected, type Fault, type Path, show } from './problems.ts';

type RawIssue = z.core.$ZodRawIssue;
type Issue = z.core.$ZodIssue;

const words: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

/** zod's error map: a message of the schema itself goes first, this comes next. */
export function explain(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return expected(
        issue.expected === 'number' ? numberWord(issue) : (words[issue.expected] ?? 'something else'),
        issue.input,
      ).concat(isUnquoted(issue) ? ': put it in quotes' : '');
    case 'invalid_value':
      return expectedOneOf(issue.values.map(String), issue.input);
    case 'too_small':
      return issue.origin === 'number'
        ? `expected at least ${issue.minimum}, got ${show(issue.input)}`
        : `expected ${issue.origin === 'string' ? 'some text' : `at least ${issue.minimum}`}, got ${emptyOr(issue.input)}`;
    case 'too_big':
      return `expected at most ${issue.maximum}, got ${show(issue.input)}`;
    case 'unrecognized_keys':
      // One line a key; `faultsOf` takes them apart again.
      return issue.keys.map((key) => unknownKey(key, Object.keys(shapeOf(issue.inst)))).join('\n');
    case 'invalid_key':
      return issue.issues[0]?.message;
    default:
      return undefined;
  }
}

function expectedOneOf(values: string[], input: unknown): string {
  const guess = typeof input === 'string' ? nearest(input, values) : null;
  const help = guess === null || values.length === 1 ? '' : `: did you mean ${guess}?`;
  return expected(values.length === 1 ? values[0]! : `one of ${values.join(', ')}`, input) + help;
}

function numberWord({ inst }: RawIssue): string {
  if (!(inst instanceof z.ZodNumber)) return 'a number';
  const { minValue: least, maxValue: most, format } = inst;
  const what = format === 'safeint' ? 'a whole number' : 'a number';
  if (least === null || least < -(2 ** 31)) return what;
  return most === null || most > 2 ** 31 ? `${what} from ${least} on` : `${what} from ${least} to ${most}`;
}

/** `PORT: 8080` where text is wanted. */
function isUnquoted({ code, expected: wanted, input }: RawIssue): boolean {
  return code === 'invalid_type' && wanted === 'string' && ['number', 'boolean'].includes(typeof input);
}

function emptyOr(input: unknown): string {
  const isEmpty = Array.isArray(input) && input.length === 0;
  return isEmpty ? 'an empty list' : show(input);
}

function shapeOf(schema: unknown): object {
  return (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape ?? {};
}

function unknownKey(key: string, known: string[]): string {
  const guess = nearest(key, known);
  const help = guess === null ? `known here: ${known.join(', ')}` : `did you mean '${guess}'?`;
  return `unknown key '${brief(key)}': ${help}`;
}

/** Each issue as one fault; an issue of unknown keys becomes one a key, a union's that of the branch meant. */
export function faultsOf(issues: readonly Issue[], before: Path = []): Fault[] {
  return issues.flatMap((issue): Fault[] => {
    const path = [...before, ...(issue.path as Path)];
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split('\n');
      return issue.keys.map((key, i) => ({ path: [...path, key], message: messages[i]!, on: 'key' }));
    }
    if (issue.code === 'invalid_key') return [{ path, message: issue.message, on: 'key' }];
    if (issue.code === 'invalid_union') {
      const meant = issue.errors.filter((branch) => !branch.some(isOfAnotherType));
      if (meant.length === 1) return faultsOf(meant[0]!, path);
    }
    return [{ path, message: issue.message }];
  });
}

/** The branch was not meant: it wants another type, or another word, at its root. */
function isOfAnotherType({ code, path }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}
