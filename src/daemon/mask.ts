// The configuration as anybody on this machine may see it: secrets replaced, and the differences of two of them. Pure.
import { isDeepStrictEqual } from 'node:util';

export const hiddenValue = '•••';

/** Keys whose values are secret wherever they stand; names of files that hold a secret are none. */
const secretKey = /(token|secret|password|passwd|passphrase|credential|authorization|cookie|apikey|api_key)/i;
/** Maps of which only the names are told. */
const secretMaps = new Set(['env', 'headers']);
/** `--password=x`, `--api-key x` among the words of a command. */
const secretFlag = /^(--?[\w-]*(?:token|secret|password|passwd|key|credential)[\w-]*)(=.*)?$/i;

/** A copy in which no value is left that is likely to be a secret. */
export function masked(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return maskText(value, key);
  if (Array.isArray(value)) return maskWords(value, key);
  if (typeof value !== 'object' || value === null) {
    return value !== null && isSecret(key) ? hiddenValue : value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => {
        if (secretMaps.has(name) && typeof inner === 'object' && inner !== null) {
          return [name, Object.fromEntries(Object.keys(inner).map((each) => [each, hiddenValue]))];
        }
        return [name, masked(inner, name)];
      }),
  );
}

const isSecret = (key: string) => secretKey.test(key) && !/file$/i.test(key);

function maskText(text: string, key: string): string {
  if (isSecret(key)) return hiddenValue;
  // A webhook's path is what lets one call it.
  if (/webhook/i.test(key)) return text.replace(/^([a-z]+:\/\/[^/]+).*$/i, `$1/${hiddenValue}`);
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, `$1${hiddenValue}@`)
    .replace(/([?&][^=&#]*(?:token|secret|password|key|sig)[^=&#]*=)[^&#]*/gi, `$1${hiddenValue}`);
}

function maskWords(words: unknown[], key: string): unknown[] {
  let hideNext = false;
  return words.map((word) => {
    const hide = hideNext;
    hideNext = false;
    if (typeof word !== 'string') return masked(word, key);
    const flag = secretFlag.exec(word);
    if (flag) {
      hideNext = flag[2] === undefined;
      return flag[2] === undefined ? word : `${flag[1]}=${hiddenValue}`;
    }
    return hide ? hiddenValue : maskText(word, key);
  });
}

export interface ValueChange {
  /** `services.api.instances`. */
  path: string;
  before: unknown;
  after: unknown;
}

/** More would not be read; a change of everything is better seen in the file. */
const maxChanges = 200;

/** Each value that became another; what came or went is undefined on one side and told as null. */
export function changesBetween(before: unknown, after: unknown): ValueChange[] {
  const changes: ValueChange[] = [];
  const walk = (path: string, a: unknown, b: unknown) => {
    if (changes.length >= maxChanges || isDeepStrictEqual(a, b)) return;
    if (isMap(a) && isMap(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
        walk(path === '' ? key : `${path}.${key}`, a[key], b[key]);
    } else changes.push({ path, before: a ?? null, after: b ?? null });
  };
  walk('', before, after);
  return changes;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
