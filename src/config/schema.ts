// The whole configuration of `reeve up`. docs/configuration.md and reeve.schema.json are generated from here.
import { z } from 'zod';
import { bindAddress, name, notYet, port, portRange } from './fields.ts';
import { listenerSchema, sinkSchema } from './listeners.ts';
import { checkSchema, serviceSchema } from './services.ts';

const controlSchema = z.strictObject({
  listen: bindAddress
    .default({ protocol: 'tcp', host: '127.0.0.1', port: 7070 })
    .refine(({ host }) => host === 'localhost' || host === '::1' || host.startsWith('127.'), {
      message: 'the control API listens on loopback only: 127.0.0.1, ::1 or localhost',
    })
    .describe('API, /metrics, /healthz, /readyz; loopback only'),
  tokenFile: z
    .string()
    .min(1)
    .optional()
    .describe('made with a new token where it is missing; in the state directory where absent'),
});

export const configSchema = z
  .strictObject({
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
  })
  .check(({ value, issues }) => {
    const known = (kind: string, names: Record<string, unknown>) =>
      Object.keys(names).length > 0 ? `${kind} are ${Object.keys(names).join(', ')}` : `there are no ${kind}`;
    for (const [key, { balance, sink }] of Object.entries(value.listeners)) {
      const at = ['listeners', key];
      if (sink !== undefined && !(sink in value.sinks)) {
        const message = `no sink is named '${sink}': ${known('sinks', value.sinks)}`;
        issues.push({ code: 'custom', message, path: [...at, 'sink'], input: sink });
      }
      if (balance?.service === undefined) continue;
      const service = value.services[balance.service];
      if (!service) {
        const message = `no service is named '${balance.service}': ${known('services', value.services)}`;
        issues.push({ code: 'custom', message, path: [...at, 'balance', 'service'], input: balance.service });
      } else if (balance.port !== undefined && !(balance.port in service.ports)) {
        const message = `service '${balance.service}' has no port '${balance.port}': it has ${Object.keys(service.ports).join(', ')}`;
        issues.push({ code: 'custom', message, path: [...at, 'balance', 'port'], input: balance.port });
      }
    }
  });

export type Config = z.infer<typeof configSchema>;
