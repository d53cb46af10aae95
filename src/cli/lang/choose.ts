// Which language reeve speaks: --lang, else the locale (POSIX: LC_ALL, LC_MESSAGES, LANG, in this order).
import type { Io } from '../io.ts';

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

/** Only Simplified Chinese: zh_TW and zh_HK write otherwise. */
const simplified = /^zh([_-](cn|sg|hans)\b|$|\.)/i;

export function chooseLanguage(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { language: Language; asked: boolean } {
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const at = own.findIndex((word) => word === '--lang' || word.startsWith('--lang='));
  if (at >= 0) {
    const value = own[at] === '--lang' ? own[at + 1] : own[at]!.slice('--lang='.length);
    return { language: value === 'zh' ? 'zh' : 'en', asked: true };
  }
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || '';
  return { language: simplified.test(locale) ? 'zh' : 'en', asked: false };
}

/** The catalogue is loaded only for whoever reads it. */
export async function speak(io: Io, args: readonly string[]): Promise<void> {
  const { language, asked } = chooseLanguage(args, io.env);
  io.languageAsked = asked;
  if (language === 'zh') io.say = (await import('./translate.ts')).toChinese;
}

/** Keys of what is said to people in a JSON document. */
const spoken = new Set(['summary', 'evidence', 'title', 'reason', 'proof', 'subject', 'message', 'remedy']);

/** A record with its sentences in the person's language; keys, codes, verdicts and commands stay. */
export function inLanguage<T>(record: T, io: Io, asJson: boolean | undefined): T {
  if (asJson && !io.languageAsked) return record;
  return walk(record, false, io.say) as T;
}

function walk(value: unknown, said: boolean, say: Io['say']): unknown {
  if (typeof value === 'string') return said ? say(value) : value;
  if (Array.isArray(value)) return value.map((each) => walk(each, said, say));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, walk(inner, spoken.has(key), say)]),
  );
}
