// A configuration as values that know their place in the text, read from YAML's nodes.
import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml';
import { brief, type Fault, type Path } from './problems.ts';
import { substitute } from './substitute.ts';

export interface Located {
  /** Offset of the value. */
  at: number;
  /** Offset of its key, where it has one. */
  keyAt: number | null;
  content: Content;
  /** How many values it holds with all aliases written out. */
  size: number;
}

type Content =
  /** `whole`: the text is one substitution, so it may stand for a number too. */
  | { kind: 'scalar'; value: unknown; whole: boolean }
  | { kind: 'list'; items: Located[] }
  | { kind: 'map'; entries: Map<string, Located> };

/** Aliases may repeat so many values; a "billion laughs" file stops here. */
const maxRepeated = 100_000;

/** A fault `on` a key leaves its value as it is. */
export interface TreeFault extends Fault {
  at: number;
}

/** Reads one document. Whatever is wrong is reported, and `nothing` takes its place. */
export function readTree(
  root: Node | null,
  env: NodeJS.ProcessEnv,
  report: (fault: TreeFault) => void,
): Located {
  const anchors = new Map<string, Located>();
  let repeated = 0;

  function read(node: Node | null, path: Path, keyAt: number | null, near: number): Located {
    // What is empty stands where its key does.
    const at = node?.range && node.range[1] > node.range[0] ? node.range[0] : near;
    if (isAlias(node)) return { ...alias(node.source, at, path), keyAt };
    const content = contentOf(node, at, path);
    const located = {
      at,
      keyAt,
      content,
      size: 1 + inside(content).reduce((sum, { size }) => sum + size, 0),
    };
    // Only now: an alias inside its own anchor finds nothing, so the tree has no cycle.
    if (node && 'anchor' in node && node.anchor) anchors.set(node.anchor, located);
    return located;
  }

  function contentOf(node: Node | null, at: number, path: Path): Content {
    if (isMap(node)) return { kind: 'map', entries: readMap(node as YAMLMap<Node, Node | null>, at, path) };
    if (isSeq(node)) {
      const items = node.items.map((item, i) => read(item as Node | null, [...path, i], null, at));
      return { kind: 'list', items };
    }
    const value = isScalar(node) ? node.value : null;
    if (typeof value !== 'string') return { kind: 'scalar', value, whole: false };
    const { text, whole, problems } = substitute(value, env);
    for (const message of problems) report({ at, path, message });
    if (text.includes('\0'))
      report({ at, path, message: 'text with a NUL byte goes nowhere: no system call takes it' });
    return { kind: 'scalar', value: text, whole };
  }

  function readMap(node: YAMLMap<Node, Node | null>, at: number, path: Path): Map<string, Located> {
    const entries = new Map<string, Located>();
    for (const { key, value } of node.items) {
      const keyAt = key?.range?.[0] ?? at;
      // As it is written: `8080:` and `yes:` are the texts '8080' and 'yes'.
      const scalar = isScalar(key) ? (key as Scalar) : null;
      const name = scalar && (typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? ''));
      if (name === null) {
        report({ at: keyAt, path, message: 'a key is plain text, not a list, a map or an alias' });
      } else if (name === '__proto__') {
        report({ at: keyAt, path, message: "'__proto__' cannot be a key" });
      } else if (entries.has(name)) {
        report({
          at: keyAt,
          path: [...path, name],
          on: 'key',
          message: `the key '${brief(name)}' is here twice`,
        });
      } else {
        entries.set(name, read(value, [...path, name], keyAt, keyAt));
      }
    }
    return entries;
  }

  function alias(name: string, at: number, path: Path): Located {
    const target = anchors.get(name);
    const before = repeated;
    repeated += target?.size ?? 0;
    if (target && repeated <= maxRepeated) return target;
    if (!target) report({ at, path, message: `no anchor &${brief(name)} stands before this alias` });
    else if (before <= maxRepeated) {
      report({ at, path, message: `the aliases of this file repeat more than ${maxRepeated} values` });
    }
    return { at, keyAt: null, content: { kind: 'scalar', value: null, whole: false }, size: 1 };
  }

  return read(root, [], null, 0);
}

function inside(content: Content): Located[] {
  if (content.kind === 'list') return content.items;
  return content.kind === 'map' ? [...content.entries.values()] : [];
}

/** The bare values, aliases written out. */
export function plain({ content }: Located): unknown {
  if (content.kind === 'scalar') return content.value;
  if (content.kind === 'list') return content.items.map(plain);
  return Object.fromEntries([...content.entries].map(([key, value]) => [key, plain(value)]));
}

/** What stands at the path; where the path leads nowhere, the last value on the way, and `missing`. */
export function locate(tree: Located, path: Path): { located: Located; missing: boolean } {
  let located = tree;
  for (const step of path) {
    const { content } = located;
    const next =
      content.kind === 'map'
        ? content.entries.get(String(step))
        : content.kind === 'list'
          ? content.items[Number(step)]
          : undefined;
    if (!next) return { located, missing: true };
    located = next;
  }
  return { located, missing: false };
}
