// Text → configuration, or every problem in it at once: those of the text, of each value, and between values.
import { parseDocument } from 'yaml';
import { readText, type TextFault } from './document.ts';
import { explain, faultsOf } from './explain.ts';
import { brief, type ConfigProblem, type Fault, formatPath, type Path } from './problems.ts';
import { checkRules } from './rules.ts';
import { type Config, configSchema } from './schema.ts';
import { type Located, locate, plain } from './tree.ts';

export interface ParseOptions {
  /** The name that problems carry. */
  file: string;
  /** Where `${NAME}` is looked up. */
  env: NodeJS.ProcessEnv;
}

/** Reads YAML (or JSON, which is YAML). Never throws for anything that stands in the text. */
export function parseConfig(
  text: string,
  { file, env }: ParseOptions,
): { config: Config } | { problems: ConfigProblem[] } {
  const { tree, faults, position } = readText(text, env);
  let values = plain(tree);
  let result = configSchema.safeParse(values, { error: explain });
  if (!result.success && rereadNumbers(tree, faultsOf(result.error.issues))) {
    values = plain(tree);
    result = configSchema.safeParse(values, { error: explain });
  }
  const found = [...(result.success ? [] : faultsOf(result.error.issues)), ...checkRules(values)];
  if (result.success && found.length === 0 && faults.length === 0) return { config: result.data };

  const all = [...faults, ...worthTelling(found, faults, tree, (at) => position(at).line)];
  const problems = all
    .sort((a, b) => a.at - b.at)
    .map(({ at, path, message }) => ({
      file,
      ...position(at),
      path: formatPath(path),
      message: brief(message, 300),
    }));
  return { problems: onePerLine(problems) };
}

/**
 * A substitution is text. Where that was refused and it reads as a number or a boolean, it is that: `instances: ${N}`
 * works, and an environment variable of a service stays the text it is. Whether anything changed.
 */
function rereadNumbers(tree: Located, faults: Fault[]): boolean {
  let changed = false;
  for (const { path } of faults) {
    const { content } = locate(tree, path).located;
    if (content.kind !== 'scalar' || !content.whole || typeof content.value !== 'string') continue;
    const value: unknown = scalarOf(content.value);
    if (typeof value !== 'number' && typeof value !== 'boolean') continue;
    content.value = value;
    changed = true;
  }
  return changed;
}

function scalarOf(text: string): unknown {
  if (!/^(?:true|false|[-+.\w]+)$/i.test(text)) return text;
  return parseDocument(text, { version: '1.2', schema: 'core', logLevel: 'silent' }).toJS();
}

/** Leaves out what only follows from a fault of the text: the same value, or the same misread line. */
function worthTelling(
  found: Fault[],
  faults: TextFault[],
  tree: Located,
  lineOf: (at: number) => number,
): { at: number; path: Path; message: string }[] {
  const faulty = new Set(faults.filter(({ on }) => on !== 'key').map(({ path }) => formatPath(path)));
  const misread = new Set(faults.filter(({ syntax }) => syntax).map(({ at }) => lineOf(at)));
  faulty.delete('');
  return found
    .map(({ path, message, on }) => {
      const { located, missing } = locate(tree, path);
      const at = missing || on === 'key' ? (located.keyAt ?? located.at) : located.at;
      return { at, path, message };
    })
    .filter(({ at, path }) => !faulty.has(formatPath(path)) && !misread.has(lineOf(at)));
}

/** One mistake often gives the same message twice, or a row of syntax errors. */
function onePerLine(problems: ConfigProblem[]): ConfigProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ line, column, path, message }) => {
    const key = path === '' ? `${line}` : `${line}:${column} ${path} ${message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
