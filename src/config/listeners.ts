// Schema of `listeners:` and `sinks:`: what reeve itself accepts on, and where the connections or data go.
import * as z from 'zod';
import { policies } from '../core/balance/policies.ts';
import { targetCheckSchema } from './checks.ts';
import { client, duration, either, listenAddress, name, rate, size } from './fields.ts';
import { listenerTlsSchema, proxyProtocolSchema, targetSchema, targetTlsSchema } from './tls.ts';

const conflictSchema = z.strictObject({
  policy: z
    .enum(['fail', 'retry', 'next', 'evict'])
    .default('fail')
    .describe('fail at once, retry the same port, take the next free one, or evict the process that has it'),
  for: duration('30s', 0).prefault('30s').describe('how long retry and evict go on trying'),
  tries: z.int().min(1).max(1000).default(20).describe('how many further ports next tries'),
  allowEvict: z.array(z.string().min(1)).default([]).describe('names of processes that evict may end'),
});

const limitsSchema = z.strictObject({
  connections: z.int().min(1).default(10_000).describe('connections open at once; more are refused'),
  perClient: z.int().min(1).optional().describe('connections open at once from one address'),
  rate: rate('1000/s').optional().describe('new connections in a time, such as 1000/s'),
  firstBytes: duration('5s')
    .optional()
    .describe(
      'a client that has said nothing by then is ended; off where absent: leave it out where the server speaks first',
    ),
  clientRate: rate('10/s').optional().describe('new connections from one IPv4 address or IPv6 /64 in a time'),
  idle: duration('10m')
    .optional()
    .describe('a connection on which nothing moved for so long is ended; 10m where absent, 30s for UDP'),
  greeting: duration('5s')
    .prefault('5s')
    .describe('a PROXY header and a TLS handshake each have to be complete by then'),
  greetings: z
    .int()
    .min(1)
    .default(1000)
    .describe(
      'connections that are in their PROXY header or TLS handshake at once; then who has most of them loses the oldest to who has fewer, and more are refused',
    ),
  frame: size('1MiB').prefault('1MiB').describe('the longest frame that a sink listener takes'),
});

const balanceSchema = z.strictObject({
  service: name
    .optional()
    .describe('the service whose instances are the targets; of this file, or of the registry'),
  from: z
    .enum(['file', 'registry'])
    .optional()
    .describe('where the service is looked for; where absent, in this file first and then in Consul'),
  tags: z
    .array(z.string().min(1))
    .optional()
    .describe('only instances of the registry that have all of these tags'),
  datacenter: name.optional().describe("which datacenter of Consul's to look in"),
  port: name.optional().describe("which of the service's ports; the first where absent"),
  targets: z.array(targetSchema).min(1).optional().describe('fixed targets, in place of a service'),
  check: targetCheckSchema.optional().describe('how fixed targets are probed; a service has its own check'),
  policy: z
    .enum(policies)
    .default('round-robin')
    .describe(
      'how the next target is chosen: in turn, the least loaded, the better of two at random, or always the same for a client address; all by weight',
    ),
  retries: z.int().min(0).max(10).default(2).describe('other targets to try when one does not connect'),
  retryBudget: z
    .strictObject({
      percent: z.int().min(0).max(100).default(20).describe('of the open connections'),
      least: z.int().min(0).max(10_000).default(3).describe('so many in any case'),
    })
    .prefault({})
    .describe('how many connections may be trying a further target at once, in each relay process'),
  connectTimeout: duration('5s')
    .prefault('5s')
    .describe('a target that has not accepted by then is passed over'),
  eject: z
    .strictObject({
      failures: z
        .int()
        .min(0)
        .max(1000)
        .default(5)
        .describe('connections in a row that fail or are cut off at once; 0 ejects nobody'),
      for: duration('30s').prefault('30s').describe('the first time; each further time longer by as much'),
      longest: duration('5m').prefault('5m').describe('no ejection is longer'),
    })
    .prefault({})
    .describe('when a target is put aside because of its connections; never the last one'),
  panic: z
    .int()
    .min(0)
    .max(100)
    .default(50)
    .describe('percent: where fewer of the targets are fit, all are used; 0 for never'),
  slowStart: duration('30s')
    .optional()
    .describe(
      'a target that comes back is brought up to its weight over so long, in steps; at once where absent',
    ),
  onDown: z
    .enum(['close', 'keep'])
    .default('close')
    .describe('what happens to the connections of a target that its check finds down'),
  maxPerTarget: z
    .int()
    .min(1)
    .optional()
    .describe('connections open to one target at once, over all workers; further ones wait'),
  queue: z
    .strictObject({
      size: z.int().min(0).max(100_000).default(1000).describe('connections that may wait for a place'),
      timeout: duration('5s').prefault('5s').describe('how long each may wait'),
    })
    .prefault({})
    .describe('where connections wait while every target has as many as it may'),
  tls: targetTlsSchema.optional().describe('speak TLS to the targets'),
});

const handlerSettings = z.strictObject({
  file: z.string().min(1).describe('TypeScript or JavaScript whose default export is the handler'),
  threads: either('auto, or a number from 1 to 64', [z.literal('auto'), z.int().min(1).max(64)])
    .default('auto')
    .describe('threads of its own; auto: one a core, at most 4'),
  concurrency: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('calls of one thread at once: 1 where frame is set, otherwise 256 connections'),
  memory: size('512MB').prefault('512MB').describe('a thread whose heap grows beyond this is ended'),
  timeout: duration('10s', 10)
    .prefault('10s')
    .describe('a frame not answered by then, or a thread that gives no sign of life, is given up'),
});

const handlerSchema = either('a file, or a map with a file', [
  z
    .string()
    .min(1)
    .transform((file) => handlerSettings.parse({ file })),
  handlerSettings,
]);

const listenerFields = z.strictObject({
  bind: z
    .array(listenAddress())
    .min(1)
    .describe('host:port, or udp://host:port; one or more, of one protocol; port 0 lets the system choose'),
  v6only: z.boolean().default(false).describe('keep [::] to IPv6; otherwise it takes IPv4 too'),
  backlog: z.int().min(1).max(65_535).default(511).describe('connections that may wait to be accepted'),
  conflict: conflictSchema.prefault({}).describe('what to do when the address is taken'),
  allow: z.array(client).optional().describe('only these clients; everybody where absent'),
  deny: z.array(client).optional().describe('never these clients, also where allow has them'),
  limits: limitsSchema.prefault({}).describe('what keeps clients from taking everything'),
  balance: balanceSchema.optional().describe('spread connections over targets'),
  frame: z
    .enum(['line', 'length-prefixed', 'raw'])
    .optional()
    .describe(
      'how data is cut for a sink (line where absent) or for a handler (where absent it has the whole connection)',
    ),
  sink: name.optional().describe('the sink that received data goes to, in place of balance'),
  proxyProtocol: proxyProtocolSchema
    .prefault({})
    .describe('who the client is, as proxies before tell it, and as targets are told'),
  tls: listenerTlsSchema.optional().describe('take TLS off, or route by server name'),
  handler: handlerSchema.optional().describe('a file of code that answers, in place of balance'),
});

const idleMs = { tcp: 600_000, udp: 30_000 };

export const listenerSchema = listenerFields.transform((listener) => {
  const { bind, limits } = listener;
  const idle = limits.idle ?? idleMs[bind[0]!.protocol];
  return { ...listener, limits: { ...limits, idle } };
});

const natsServer = z
  .string()
  .regex(/^(nats|tls):\/\/[^\s/@]+:\d{1,5}$/, 'expected nats://host:port or tls://host:port')
  .meta({ examples: ['nats://127.0.0.1:4222'] });

export const sinkSchema = z.strictObject({
  file: z.string().min(1).optional().describe('JSON lines are appended to this file'),
  rotate: z
    .strictObject({
      size: size('10MB').prefault('10MB').describe('a file that would grow beyond this is rotated'),
      age: duration('1d', 1000)
        .optional()
        .describe('a file begun so long ago is put aside before the next record'),
      keep: z.int().min(1).max(1000).default(5).describe('how many rotated files stay'),
      gzip: z.boolean().default(false).describe('compress what was put aside: events.jsonl.1.gz'),
    })
    .prefault({})
    .describe('when a file is put aside'),
  fsync: z
    .enum(['none', 'interval', 'every'])
    .default('none')
    .describe(
      'when a file is forced to the disk: when the system likes, every second, or before a record counts as delivered',
    ),
  stdout: z.literal(true).optional().describe('JSON lines go to standard output'),
  nats: either('nats://host:port, or a list of them', [
    natsServer.transform((server) => [server]),
    z.array(natsServer).min(1),
  ])
    .optional()
    .describe('records are published to this NATS, nats:// or tls://; several are servers of one cluster'),
  stream: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,255}$/, "a stream's name holds letters, digits, - and _")
    .optional()
    .describe('the JetStream stream, made where it is missing'),
  subject: z
    .string()
    .regex(/^[^\s.*>]+(\.[^\s.*>]+)*$/, 'a subject is words joined by dots, without spaces, * and >')
    .optional()
    .describe('what records are published as, intake.{listener} where absent; {listener} is the name'),
  deduplicate: duration('2m', 100)
    .optional()
    .describe('how long a stream that is made here knows a record again, 2 m where absent'),
  spool: z
    .strictObject({
      size: size('64MB').prefault('64MB').describe('records that may wait on disk'),
    })
    .optional()
    .describe('the state directory takes records while NATS is away, 64 MB where absent'),
  token: z.string().min(1).optional().describe('authenticates with NATS'),
  user: z.string().min(1).optional().describe('authenticates with NATS, with password'),
  password: z.string().min(1).optional().describe('of user'),
  credentials: z.string().min(1).optional().describe('a .creds file, to authenticate with NATS'),
  tls: z
    .strictObject({
      ca: z.string().min(1).optional().describe('file of the authority that signed the certificate of NATS'),
      cert: z.string().min(1).optional().describe('file of a certificate of our own'),
      key: z.string().min(1).optional().describe('file of its key'),
    })
    .optional()
    .describe('files in PEM, for tls://'),
});

export type ListenerConfig = z.infer<typeof listenerSchema>;
export type BalanceConfig = z.infer<typeof balanceSchema>;
export type ConflictConfig = z.infer<typeof conflictSchema>;
export type SinkConfig = z.infer<typeof sinkSchema>;
