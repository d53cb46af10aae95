// English as reeve says it, said in Chinese: whole messages are found by their template, and their parts in the same way.
import { causes, parts } from './causes.ts';
import { deeds } from './deeds.ts';
import { remedies } from './remedies.ts';

export const catalogue = [...causes, ...remedies, ...deeds];

interface Template {
  chinese: string;
  pattern: RegExp;
  names: string[];
  /** Characters that are fixed: of two that match, the one that says more counts. */
  fixed: number;
}

const placeholder = /\{(\w+)\}/g;
/** Always digits. */
const numbers = new Set(['pid', 'port', 'count', 'first', 'soft', 'hard']);

function templateOf([english, chinese]: readonly [string, string]): Template {
  const names = [...english.matchAll(placeholder)].map(([, name]) => name!);
  const source = english
    .split(placeholder)
    .map((part, i) =>
      i % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : numbers.has(part) ? '(\\d+)' : '([^]+?)',
    );
  return {
    ...{ chinese, names, pattern: new RegExp(`^${source.join('')}$`) },
    fixed: english.replace(placeholder, '').length,
  };
}

const compile = (entries: typeof catalogue) => entries.map(templateOf).sort((a, b) => b.fixed - a.fixed);

let messages: Template[] | undefined;
let inner: Template[] | undefined;

/** Null where the catalogue has no such message. */
export function translated(text: string): string | null {
  messages ??= compile(catalogue);
  return find(messages, text);
}

function find(templates: Template[], text: string): string | null {
  // What comes from elsewhere has no end: matching takes time by its length.
  if (text.length > 2000) return null;
  for (const { chinese, pattern, names } of templates) {
    const match = pattern.exec(text);
    if (!match) continue;
    const values = new Map(names.map((name, i) => [name, match[i + 1]!]));
    return chinese.replace(placeholder, (_, name: string) => part(values.get(name)!));
  }
  return null;
}

/** A part that stands alone as a message is one; names of programs and users are not. */
function part(text: string): string {
  if (!/\s|^(none|free|held|refused|unknown)$/.test(text)) return text;
  inner ??= compile([...parts]);
  return find(inner, text) ?? translated(text) ?? text;
}

export function toChinese(text: string): string {
  return translated(text) ?? text;
}
