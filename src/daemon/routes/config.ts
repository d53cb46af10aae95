// The configuration that is in force, without its secrets, and what the last reload changed.
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { ApiParts } from '../api-parts.ts';
import { masked } from '../mask.ts';
import { diffSchema } from '../orders.ts';
import { declare } from './declare.ts';

const configResponse = z.object({
  file: z.string(),
  loadedAt: z.iso.datetime(),
  config: z
    .record(z.string(), z.unknown())
    .describe('with all defaults; durations in milliseconds; secrets as •••'),
  lastReload: z
    .object({
      at: z.iso.datetime(),
      error: z.string().nullable().describe('why it was refused'),
      diff: diffSchema.nullable(),
      changes: z
        .array(
          z.object({
            path: z.string().describe('services.api.instances'),
            before: z.unknown(),
            after: z.unknown(),
          }),
        )
        .describe('each value that became another'),
    })
    .nullable()
    .describe('null: not reloaded since the daemon started'),
});

export type ConfigAnswer = z.infer<typeof configResponse>;

export function configRoutes(app: FastifyInstance, { config }: ApiParts): void {
  declare(
    app,
    {
      ...{ method: 'GET', url: '/api/v1/config', response: configResponse },
      summary: 'The configuration in force, with secrets masked, and the difference of the last reload.',
    },
    () => {
      const { file, config: inForce, loadedAt, lastReload } = config();
      return {
        file,
        loadedAt,
        config: masked(inForce),
        lastReload: lastReload && {
          at: lastReload.at,
          error: lastReload.error,
          diff: lastReload.diff,
          changes: lastReload.changes,
        },
      };
    },
  );
}
