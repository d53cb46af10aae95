// Text in the language that a person chose, by key; placeholders are {name}.
import { language } from '../state/settings.ts';
import { catalogue } from './catalogue.ts';

export type Key = keyof typeof catalogue;

export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text: string = catalogue[key][language.value];
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** A word of the daemon (a state, a reason) where the catalogue knows it, else as it came. */
export function word(prefix: string, name: string): string {
  const key = `${prefix}.${name}`;
  return key in catalogue ? t(key as Key) : name;
}
