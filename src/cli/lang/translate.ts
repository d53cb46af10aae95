// English as reeve says it, said in Chinese: whole messages are found by their template, and their parts in the same way.
import { parts as causeParts, causes } from './causes.ts';
import { deeds } from './deeds.ts';
import { hindranceParts, hindrances } from './hindrances.ts';
import { remedies } from './remedies.ts';

export const catalogue = [...causes, ...remedies, ...deeds, ...hindrances];
export const parts = [...causeParts, ...hindranceParts];

interface Template {
  chinese: string;
  pattern: RegExp;
  names: string[];
  /** Characters that are fixed: of two that match, the one that says more counts. */
  fixed: number;
}

const placeholder = /\{(\w+)\}/g;
/** What a placeholder may be: a sentence inside another would else be taken for the end of a more special one. */
const shapes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['pid', 'port', 'count', 'first', 'soft', 'hard', 'uid'].map((name) => [name, '\\d+']),
  ),
  ...Object.fromEntries(['endpoint', 'unit', 'verdict'].map((name) => [name, '\\S+'])),
  ...Object.fromEntries(['holder', 'folder', 'source', 'name'].map((name) => [name, '(?:(?!: )[^])+?'])),
};

function templateOf([english, chinese]: readonly [string, string]): Template {
  const names = [...english.matchAll(placeholder)].map(([, name]) => name!);
  const source = english
    .split(placeholder)
    .map((part, i) =>
      i % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : `(${shapes[part] ?? '[^]+?'})`,
    );
  return {
    ...{ chinese, names, pattern: new RegExp(`^${source.join('')}$`) },
    fixed: english.replace(placeholder, '').length,
  };
}

const compile = (entries: readonly (readonly [string, string])[]) =>
  entries.map(templateOf).sort((a, b) => b.fixed - a.fixed);

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

const listOfHolders = /^[^,]+ \(PID \d+\)(, [^,]+ \(PID \d+\)( and \d+ more)?)+$/;

/** A part that stands alone as a message is one; names of programs and users are not. */
function part(text: string): string {
  if (!/\s|^(none|free|held|refused|unknown)$/.test(text)) return text;
  if (listOfHolders.test(text)) return text.split(', ').map(part).join('、');
  inner ??= compile([...parts, ...catalogue]);
  const found = find(inner, text);
  if (found !== null || !text.includes('; ')) return found ?? text;
  return text.split('; ').map(part).join('；');
}

export function toChinese(text: string): string {
  return translated(text) ?? text;
}
