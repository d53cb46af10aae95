// The whole configuration of `reeve up`. docs/configuration.md and reeve.schema.json are generated from here.
import * as z from 'zod';
import { isLoopback } from '../core/address.ts';
import { checkSchema, healthSchema } from './checks.ts';
import { bindAddress, either, name, port, portRange } from './fields.ts';
import { listenerSchema, sinkSchema } from './listeners.ts';
import { registrySchema } from './registry.ts';
import { serviceSchema } from './services.ts';

/** Where the control API listens unless the configuration says otherwise. */
export const defaultListen = '127.0.0.1:7070';

const controlSchema = z.strictObject({
  listen: bindAddress(defaultListen)
    .prefault(defaultListen)
    .refine(({ host }) => host === 'localhost' || isLoopback(host), {
      message: 'the control API listens on loopback only: 127.0.0.1, ::1 or localhost',
    })
    .describe('host:port of the API, /metrics, /healthz and /readyz; loopback only'),
  tokenFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'holds the token that the API asks for; made where it is missing; in the state directory where absent',
    ),
});

/** What each value may be. What must hold between values stands in rules.ts. */
export const configSchema = z.strictObject({
  control: controlSchema.prefault({}).describe('the API, the dashboard and /metrics of the daemon'),
  state: z
    .string()
    .min(1)
    .optional()
    .describe("directory of what outlives the daemon; the platform's state directory where absent"),
  ports: z
    .strictObject({
      range: portRange('20000-32000')
        .prefault('20000-32000')
        .describe('where auto ports come from: below the default ephemeral ranges of Linux and Windows'),
      exclude: z.array(port).default([]).describe('ports of the range that are never given out'),
      leases: z
        .enum(['local', 'registry'])
        .default('local')
        .describe(
          'where leases are kept: local is one book for this user of this machine, registry is in Consul for all machines of one prefix',
        ),
    })
    .prefault({})
    .describe('the pool that ports are leased from'),
  registry: registrySchema
    .default('embedded')
    .describe('where services are announced and found: embedded keeps it in the daemon'),
  relay: z
    .strictObject({
      engine: z
        .enum(['auto', 'portable', 'native'])
        .default('auto')
        .describe(
          'what moves the bytes: native is worker processes on epoll (Linux), portable is node:net; auto takes native where it can run',
        ),
      workers: either('auto, or a number from 1 to 64', [z.literal('auto'), z.int().min(1).max(64)])
        .default('auto')
        .describe('processes of the native engine; auto: one a core'),
    })
    .prefault({})
    .describe('how connections are carried'),
  services: z.record(name, serviceSchema).default({}).describe('commands that reeve runs, by name'),
  listeners: z.record(name, listenerSchema).default({}).describe('addresses that reeve accepts on, by name'),
  sinks: z.record(name, sinkSchema).default({}).describe('where received data goes, by name'),
  health: healthSchema.prefault({}).describe('what all checks share'),
  checks: z.record(name, checkSchema).default({}).describe('further things whose health is watched, by name'),
});

export type Config = z.infer<typeof configSchema>;
