// What was seen, for charts: series by name, over the time that a tier keeps.
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';
import type { ApiParts } from '../api-parts.ts';
import { tiers } from '../history/recorder.ts';
import { type SeriesKind, seriesFields } from '../history/series.ts';
import { declare } from './declare.ts';

const ranges = { '10m': tiers[0], '2h': tiers[1], '24h': tiers[2], '30d': tiers[3] } as const;

const query = z.strictObject({
  series: z
    .string()
    .min(1)
    .max(500)
    .describe(
      'listener/web, target/web/127.0.0.1:20000, check/db, instance/api/0; listener/* is all of a kind',
    ),
  range: z
    .enum(['10m', '2h', '24h', '30d'])
    .default('10m')
    .describe('a point each 1 s, 10 s, 1 min or 30 min'),
  fields: z.string().max(200).optional().describe('some of the fields, in this order, with commas'),
  points: z.coerce
    .number()
    .int()
    .min(1)
    .max(1440)
    .optional()
    .describe('the newest so many; all where absent'),
});

const response = z.object({
  step: z.int().describe('seconds between points'),
  fields: z.array(z.string()),
  at: z.array(z.int()).describe('seconds since the epoch: when reeve looked'),
  series: z
    .record(z.string(), z.array(z.array(z.number().nullable()).nullable()))
    .describe('the values of each field at each time; null: idle, or not looked at'),
});

export type HistoryAnswer = z.infer<typeof response>;

export function historyRoutes(app: FastifyInstance, { recorder }: ApiParts): void {
  declare(
    app,
    {
      ...{ method: 'GET', url: '/api/v1/history', query, response },
      summary: 'Series of numbers for charts: listeners, targets, checks, instances.',
      hint: 'Ask for series=listener/web, with range=10m, 2h, 24h or 30d',
    },
    ({ query }) => {
      const tier = ranges[query.range];
      const kind = query.series.split('/')[0] as SeriesKind;
      const fields = Object.keys(seriesFields[kind] ?? {});
      if (fields.length === 0) {
        throw new ReeveError(
          'usage',
          `there is no series '${query.series}': it begins with ${Object.keys(seriesFields).join(', ')}`,
        );
      }
      const wanted = query.fields?.split(',') ?? fields;
      const columns = wanted.map((field) => fields.indexOf(field));
      if (columns.includes(-1)) throw new ReeveError('usage', `fields of ${kind} are ${fields.join(', ')}`);
      const span = (query.points ?? tier.slots) * tier.step;
      const rows = recorder.read(tier, Math.floor(Date.now() / 1000) - span);
      const matches = matcher(query.series);
      const names = new Set(rows.flatMap(({ sample }) => Object.keys(sample).filter(matches)));
      return {
        ...{ step: tier.step, fields: wanted, at: rows.map(({ at }) => at) },
        series: Object.fromEntries(
          [...names].map((name) => [
            name,
            rows.map(({ sample }) => {
              const values = sample[name];
              return values ? columns.map((column) => values[column] ?? null) : null;
            }),
          ]),
        ),
      };
    },
  );
}

function matcher(pattern: string): (name: string) => boolean {
  if (!pattern.endsWith('/*')) return (name) => name === pattern;
  const prefix = pattern.slice(0, -1);
  return (name) => name.startsWith(prefix);
}
