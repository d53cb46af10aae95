// The catalogue: every text in both languages with the same placeholders, and exactly what the sources ask for.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { datagramDrops } from '../../../src/relay/index.ts';
import { restartReasons } from '../../../src/supervise/index.ts';
import { catalogue, type Text } from './catalogue.ts';

const texts = Object.entries(catalogue) as [string, Text][];
const root = path.join(import.meta.dirname, '..');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('i18n') && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(path.join(root, file), 'utf8'))
  .join('\n');

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

describe.each(texts)('%s', (_key, { en, zh }) => {
  test('is said in English and in Chinese, of the same things', () => {
    expect(en.trim()).not.toBe('');
    expect(zh.trim()).not.toBe('');
    expect([...new Set(placeholders(zh))]).toEqual([...new Set(placeholders(en))]);
  });
});

test('Chinese is Chinese, but for units and names', () => {
  const same = texts.filter(([, { en, zh }]) => en === zh).map(([key]) => key);
  expect(same).toEqual(['p50', 'p99']);
  expect(texts.filter(([, { en }]) => /[\u4e00-\u9fff]/.test(en))).toEqual([]);
});

test('no text is left that nothing shows', () => {
  const words =
    /^(state|refused|ended|dropped|restart|probe|confidence|action|kind|nav|theme|range|free|unit|issue|evidence|held|link|standing|socket)\./;
  const unused = texts.map(([key]) => key).filter((key) => !words.test(key) && !sources.includes(`'${key}'`));
  const quoted = unused.filter((key) => !sources.includes(`"${key}"`));
  expect(quoted).toEqual([]);
});

test('no text stands in the sources instead of the catalogue', () => {
  const loose = [...sources.matchAll(/(?:aria-label|placeholder|title)="([A-Z][^"]*)"/g)].map(
    ([, text]) => text,
  );
  expect(loose).toEqual([]);
});

test('the reasons of restarts that the daemon knows have words', () => {
  const missing = restartReasons.filter((reason) => !(`restart.${reason}` in catalogue));
  expect(missing).toEqual([]);
});

test('the reasons why datagrams are dropped have words', () => {
  const missing = datagramDrops.filter((reason) => !(`dropped.${reason}` in catalogue));
  expect(missing).toEqual([]);
});
