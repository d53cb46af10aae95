// Every sentence that source files can say, read from their syntax tree: literals, and templates with {} for what differs.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseAst } from 'vite';

const root = path.dirname(path.dirname(import.meta.dirname));

export interface Sentence {
  text: string;
  file: string;
}

/**
 * @param places files, or folders with all that is in them; tests are left out.
 * @param unsaid names of functions whose arguments are left out.
 */
export function sentencesOf(places: string[], unsaid: string[] = []): Sentence[] {
  return places.flatMap(filesOf).flatMap((file) => {
    const source = readFileSync(path.join(root, file), 'utf8');
    return textsOf(parseAst(source, { lang: 'ts' }), unsaid)
      .filter(isSentence)
      .map((text) => ({ text, file }));
  });
}

function filesOf(place: string): string[] {
  if (statSync(path.join(root, place)).isFile()) return [place];
  return readdirSync(path.join(root, place), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => path.posix.join(place, file.split(path.sep).join('/')));
}

interface Node {
  type: string;
  [key: string]: unknown;
}

/** Where strings are names of modules or of types. */
const notSaid = /^(Import|ExportAll|TSType|TSInterface|TSLiteral|TSUnion|TSEnum)/;

function textsOf(node: unknown, unsaid: string[]): string[] {
  if (Array.isArray(node)) return node.flatMap((each) => textsOf(each, unsaid));
  if (typeof node !== 'object' || node === null) return [];
  const { type, ...inside } = node as Node;
  if (notSaid.test(type ?? '')) return [];
  if (type === 'CallExpression' && unsaid.includes(nameOf(inside.callee as Node))) {
    return textsOf(inside.callee, unsaid);
  }
  const inner = Object.values(inside).flatMap((each) => textsOf(each, unsaid));
  if (type === 'Literal' && typeof inside.value === 'string') return [inside.value];
  if (type !== 'TemplateLiteral') return inner;
  const quasis = inside.quasis as { value: { cooked: string } }[];
  return [quasis.map(({ value }) => value.cooked).join('{}'), ...inner];
}

function nameOf(callee: Node): string {
  const { name } = (callee.type === 'MemberExpression' ? callee.property : callee) as { name?: string };
  return name ?? '';
}

/** Two words at least, one of them of small letters. */
function isSentence(text: string): boolean {
  return /[a-z'{}]+[,:;]? [(']*[a-z{]/.test(text) && /[a-z]{2}/.test(text.replaceAll('{}', ''));
}
