// The whole configuration of `reeve up`. docs/configuration.md and reeve.schema.json are generated from here.
import { z } from 'zod';
import { isLoopback } from '../core/address.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { bindAddress, name, notYet, port, portRange } from './fields.ts';
import { listenerSchema, sinkSchema } from './listeners.ts';
import { checkSchema, serviceSchema } from './services.ts';

/** Where the control API listens unless the configuration says otherwise. */
export const defaultControl: Endpoint = { protocol: 'tcp', host: '127.0.0.1', port: 7070 };

const controlSchema = z.strictObject({
  listen: bindAddress('127.0.0.1:7070')
    .default(defaultControl)
    .refine(({ host }) => host === 'localhost' || isLoopback(host), {
      message: 'the control API listens on loopback only: 127.0.0.1, ::1 or localhost',
    })
    .describe('API, /metrics, /healthz, /readyz; loopback only'),
  tokenFile: z
    .string()
    .min(1)
    .optional()
    .describe('made with a new token where it is missing; in the state directory where absent'),
});

/** What each value may be. What must hold between values stands in rules.ts. */
export const configSchema = z.strictObject({
  control: controlSchema.prefault({}),
  state: z.string().min(1).optional().describe("directory; the platform's state directory where absent"),
  ports: z
    .strictObject({
      range: portRange('20000-32000')
        .default({ first: 20_000, last: 32_000 })
        .describe('where auto ports come from: below the default ephemeral ranges of Linux and Windows'),
      exclude: z.array(port).default([]),
    })
    .prefault({}),
  registry: z.literal('embedded', 'not supported yet: a registry other than embedded').default('embedded'),
  relay: z
    .strictObject({
      engine: z
        .enum(['auto', 'portable'], { error: 'not supported yet: an engine other than portable' })
        .default('auto'),
      workers: notYet('relay workers'),
    })
    .prefault({}),
  services: z.record(name, serviceSchema).default({}),
  listeners: z.record(name, listenerSchema).default({}),
  sinks: z.record(name, sinkSchema).default({}),
  checks: z.record(name, checkSchema).default({}),
});

export type Config = z.infer<typeof configSchema>;
