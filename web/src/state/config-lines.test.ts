// The configuration as lines that say the same as the file: YAML reads them back.
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../../src/config/index.ts';
import { configLines } from './config-lines.ts';

const text = (config: unknown) =>
  configLines(config)
    .map(({ depth, item, key, value }) =>
      [
        '  '.repeat(depth),
        item ? '- ' : '',
        key === null ? '' : `${key}:${value === null ? '' : ' '}`,
        value ?? '',
      ].join(''),
    )
    .join('\n');

test('what is shown can be read again as what was written', () => {
  const written = {
    control: { listen: '127.0.0.1:7070' },
    ports: { range: '20000-32000', exclude: [27017] },
    services: { api: { command: ['node', 'a b.js'], restart: { backoff: '500ms..1m', limit: '10/1m' } } },
    listeners: {
      web: {
        bind: ['[::]:8080'],
        limits: { rate: '100/1s', idle: '10m' },
        balance: {
          targets: [
            { address: '10.0.0.5:80', weight: 1, backup: false },
            { address: '10.0.0.6:80', weight: 2, backup: true },
          ],
          connectTimeout: '5s',
        },
      },
    },
  };
  const effective = configSchema.parse(written);
  const shown = parse(text(JSON.parse(JSON.stringify(effective)))) as typeof written;
  expect(shown).toMatchObject(written);
});

test('an empty configuration has no lines', () => {
  expect(configLines(null)).toEqual([]);
  expect(configLines({})).toEqual([]);
});
