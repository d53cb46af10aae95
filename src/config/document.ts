// YAML text → one tree of located values. Every fault of the text is kept, and none throws.
import { Composer, type CST, LineCounter, type Node, Parser } from 'yaml';
import { type Located, readTree, type TreeFault } from './tree.ts';

export interface TextFault extends TreeFault {
  /** The text around it may have been misread, so what else is found on its line says little. */
  syntax: boolean;
}

export interface ConfigText {
  tree: Located;
  faults: TextFault[];
  /** From 1. */
  position(at: number): { line: number; column: number };
}

/** Reading takes at most some seconds up to here; ten thousand checks are half of it. */
export const maxBytes = 2 * 1024 * 1024;

/** The schema is eight deep. Composing recurses, and V8 may end the process when its stack overflows. */
const maxDepth = 40;

const options = {
  version: '1.2',
  schema: 'core',
  prettyErrors: false,
  resolveKnownTags: false,
  // Its check takes the square of the number of keys; readTree finds duplicates anyway.
  uniqueKeys: false,
  logLevel: 'silent',
} as const;

export function readText(source: string, env: NodeJS.ProcessEnv): ConfigText {
  const text = source.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  const faults: TextFault[] = [];
  const position = (at: number) => {
    const { line, col } = lines.linePos(Math.min(at, text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const refused = (at: number, message: string): ConfigText => {
    return { tree: nothing, faults: [{ at, path: [], message, syntax: true }], position };
  };

  if (Buffer.byteLength(text) > maxBytes) return refused(0, `longer than ${maxBytes} bytes`);
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const control = text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/);
  if (control >= 0) {
    const code = text.charCodeAt(control).toString(16).toUpperCase().padStart(4, '0');
    return refused(control, `the control character U+${code} does not belong here: is this file UTF-8 text?`);
  }
  const tooDeep = tokenDeeperThan(maxDepth, tokens);
  if (tooDeep !== null) return refused(tooDeep, `nested more than ${maxDepth} deep`);

  const [document, second] = [...new Composer(options).compose(tokens, true, text.length)];
  for (const { pos, code, message } of [...document!.errors, ...document!.warnings]) {
    const bare = text.slice(pos[0] - 1, pos[0] + 1) === '${';
    const told = bare ? 'inside { } and [ ] a substitution needs quotes' : message;
    faults.push({ at: pos[0], path: [], message: told, syntax: code !== 'TAG_RESOLVE_FAILED' });
  }
  if (second) {
    const message = 'a configuration is one document, and a second one starts here';
    faults.push({ at: second.range[0], path: [], message, syntax: true });
  }
  const contents = document!.contents as Node | null;
  const tree = readTree(contents, env, (fault) => faults.push({ ...fault, syntax: false }));
  const empty = tree.content.kind === 'scalar' && tree.content.value === null;
  return { tree: empty ? nothing : tree, faults, position };
}

/** An empty file: everything has its default. */
const nothing: Located = { at: 0, keyAt: null, content: { kind: 'map', entries: new Map() }, size: 1 };

/** The offset of the first token found deeper than `most`; null where none is. Does not recurse itself. */
function tokenDeeperThan(most: number, tokens: CST.Token[]): number | null {
  const waiting = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { token, depth } = next;
    if (depth > most) return token.offset;
    if (token.type === 'document' && token.value) waiting.push({ token: token.value, depth: depth + 1 });
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) {
      if (key) waiting.push({ token: key, depth: depth + 1 });
      if (value) waiting.push({ token: value, depth: depth + 1 });
    }
  }
  return null;
}
