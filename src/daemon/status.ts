// What the daemon tells about itself, as schemas: the API, its document, the status page and the metrics read this.
import * as z from 'zod';

const time = z.iso.datetime();
const count = z.int().min(0);
const verdict = z.enum(['up', 'down', 'unknown']);
/** Word → how often. */
const tally = z.record(z.string(), count);
const connections = z.object({ active: count, total: count });

const quantilesSchema = z.object({ p50: z.number().nullable(), p99: z.number().nullable() });

const latencySchema = z
  .object({
    connect: quantilesSchema.describe('how long targets took to accept'),
    duration: quantilesSchema.describe('how long connections lasted'),
  })
  .describe('milliseconds, over the connections that ended in the last minute; null where there were none');

export const certificateSchema = z.object({
  serverName: z.string().nullable().describe('null for the one that everybody else gets'),
  file: z.string(),
  subject: z.string(),
  issuer: z.string(),
  names: z.array(z.string()).describe('DNS:a.example.com, IP Address:127.0.0.1'),
  expiresAt: time,
  expiresIn: z.number().describe('seconds; negative once it has expired'),
});

const datagramSchema = z.object({
  received: count.describe('from clients that were let in'),
  sent: count.describe('to clients'),
  dropped: tally.describe('in either direction, by reason'),
});

const bindSchema = z.object({
  asked: z.string().describe('by the configuration; differs from address after next and for port 0'),
  address: z.string().describe('host:port that was bound; udp://host:port of UDP'),
  listening: z.boolean(),
  verified: z.boolean().nullable().describe('whether its own test connection arrived; null: not tried'),
});

export const targetSchema = z.object({
  id: z.string().describe('host:port'),
  instance: z.string().nullable().describe('behind it, such as user-api/0; null for a fixed target'),
  verdict,
  draining: z.boolean(),
  weight: z.number(),
  effectiveWeight: z.number().describe('less than the weight while it starts slowly'),
  backup: z.boolean(),
  max: z.int().nullable().describe('connections that it may have at once; null: any number'),
  ejectedUntil: time.nullable().describe('null where it is not ejected'),
  ejections: count.describe('lately: the next one lasts longer by as many'),
  connections,
  failures: count,
});

const handlerSchema = z.object({
  threads: count,
  running: count,
  queued: count.describe('calls that wait for a place'),
  longestWaitMs: z.number(),
  waitedMs: z.number(),
  calls: count,
  failed: count.describe('calls that threw'),
  timeouts: count.describe('calls that took too long'),
  crashes: count.describe('calls that lost their thread'),
});

export const listenerSchema = z.object({
  name: z.string(),
  engine: z.string(),
  engineReason: z.string().describe('why it is this one'),
  serves: z.string().describe('service/NAME, targets, sink/NAME or handler/FILE'),
  binds: z.array(bindSchema),
  connections,
  bytes: z.object({ received: count, sent: count }),
  datagrams: datagramSchema
    .nullable()
    .describe('of UDP, where a connection is the session of a client; null for TCP'),
  refused: tally.describe('connections that were not let in, by reason'),
  ended: tally.describe('connections, by how they ended'),
  latency: latencySchema,
  panic: z.boolean().describe('too few targets are fit, so that all are used'),
  waiting: count.describe('connections that wait for a place at a target'),
  targets: z.array(targetSchema),
  handler: handlerSchema.nullable().describe('of the threads that serve now; null without a handler'),
  certificates: z.array(certificateSchema).describe('shown to clients; none where it does not end TLS'),
});

export const instanceSchema = z.object({
  id: z.string(),
  state: z.string().describe('up, starting, backoff, crash-looping, stopping, stopped, finished…'),
  pid: z.int().nullable(),
  ports: z.record(z.string(), z.int()),
  restarts: count,
  startedAt: time.nullable().describe('null while no process runs'),
  nextStartAt: time.nullable().describe('null where none is planned'),
  detail: z.string().nullable().describe('why it is in this state, where that is not plain'),
  history: z
    .array(z.object({ at: time, reason: z.string(), detail: z.string() }))
    .describe('the last 20 times that it was started again, oldest first'),
});

export const serviceSchema = z.object({
  name: z.string(),
  configured: count.describe('instances by the configuration; reeve scale may have made it others'),
  restarts: tally.describe('since the daemon started, by reason'),
  instances: z.array(instanceSchema),
});

export const checkStatusSchema = z.object({
  name: z.string(),
  url: z.string(),
  verdict,
  degraded: z.boolean().describe('up, and to be looked at: the reason says why'),
  flapping: z.boolean().describe('it changes too often: actions are held'),
  held: z
    .enum(['maintenance', 'flapping', 'dependency'])
    .nullable()
    .describe('why an action that was due is held'),
  ms: z.number().nullable().describe('of the last probe'),
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  checkedAt: time.nullable(),
  since: time.describe('when the verdict became what it is'),
  nextAt: time.nullable().describe('null while a probe is under way'),
  streak: count.describe('how many results in a row have disagreed with the verdict'),
  fall: z.int(),
  rise: z.int(),
  timeout: z.number().describe('milliseconds'),
  interval: z.number().describe('milliseconds'),
});

export const sinkSchema = z.object({
  name: z.string(),
  kind: z.string(),
  failure: z.string().nullable().describe('why nothing can be written now; null while all is well'),
  note: z.string().nullable().describe('what else should be known, such as that records go to the spool'),
  accepted: count,
  delivered: count,
  bytes: count,
  spooled: count.describe('records that lie on disk now, to be delivered later'),
  failures: count.describe('how often it began to fail'),
  dropped: tally.describe('records, by reason'),
});

export const registrySchema = z.object({
  kind: z.enum(['embedded', 'consul']),
  address: z.string().nullable().describe('null for embedded'),
  state: z.enum(['ok', 'connecting', 'away', 'refused']),
  detail: z.string().nullable().describe('why it is not ok'),
  since: time.describe('of the last change of its state'),
  announced: z.array(
    z.object({
      id: z.string(),
      service: z.string(),
      port: z.int(),
      standing: z.enum(['pass', 'warn', 'fail']),
      reason: z.string(),
      inStep: z.boolean().describe('whether the registry has it as it stands here'),
    }),
  ),
  watches: z.array(
    z.object({
      service: z.string(),
      instances: count,
      asOf: time.nullable().describe('of the answer that the list is from; null before the first'),
      stale: z
        .string()
        .nullable()
        .describe('why the list may be out of date; null while the registry answers'),
    }),
  ),
  failures: count,
});

export const maintenanceSchema = z
  .array(z.object({ subject: z.string(), until: time }))
  .describe('checks, services, instances and targets whose actions are held by order');

export const stateSchema = z.enum(['starting', 'ready', 'draining', 'stopped']);

export const statusSchema = z.object({
  version: z.string(),
  pid: z.int(),
  state: stateSchema,
  startedAt: time,
  configFile: z.string(),
  control: z.string().describe('host:port of the control API'),
  listeners: z.array(listenerSchema),
  relayWorkers: z
    .array(
      z.object({
        pid: z.int(),
        cpuSeconds: z.number().describe('that it has used'),
        memoryBytes: count.describe('resident'),
      }),
    )
    .describe('processes of the native engine'),
  services: z.array(serviceSchema),
  checks: z.array(checkStatusSchema),
  sinks: z.array(sinkSchema),
  registry: registrySchema.describe('where services are announced and found'),
  maintenance: maintenanceSchema,
  gateway: z
    .object({ url: z.string(), reached: z.boolean().nullable().describe('null: nobody had to ask it') })
    .nullable(),
});

export type DaemonState = z.infer<typeof stateSchema>;
export type DaemonStatus = z.infer<typeof statusSchema>;
export type RegistrySummary = z.infer<typeof registrySchema>;
export type ListenerStatus = z.infer<typeof listenerSchema>;
export type CertificateStatus = z.infer<typeof certificateSchema>;
export type LatencyStatus = z.infer<typeof latencySchema>;
export type Quantiles = z.infer<typeof quantilesSchema>;
export type DatagramStatus = z.infer<typeof datagramSchema>;
export type BindStatus = z.infer<typeof bindSchema>;
export type TargetStatus = z.infer<typeof targetSchema>;
export type ServiceStatus = z.infer<typeof serviceSchema>;
export type InstanceStatus = z.infer<typeof instanceSchema>;
export type CheckStatus = z.infer<typeof checkStatusSchema>;
export type SinkStatus = z.infer<typeof sinkSchema>;
