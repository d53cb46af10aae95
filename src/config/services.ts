// Schema of `services:` and `checks:`: what reeve runs, and how health is asked for.
import { z } from 'zod';
import { backoff, duration, either, name, notYet, port, rate } from './fields.ts';

/** Field guides' and our defaults: every 5 s, 3 s timeout, 3 failures, 2 successes, 1 s while changing. */
const timing = {
  interval: duration('5s', 10).default(5000).describe('time between probes, ±10 % so that they spread'),
  timeout: duration('3s').default(3000).describe('a probe without an answer by then has failed'),
  fall: z.int().min(1).max(100).default(3).describe('failures in a row that make it down'),
  rise: z.int().min(1).max(100).default(2).describe('successes in a row that bring it back'),
  fastInterval: duration('1s', 10)
    .default(1000)
    .describe('time between probes while results and verdict disagree'),
};

/** How a service's or a target's own address is probed. */
export const targetCheckSchema = z.strictObject({
  http: z
    .string()
    .startsWith('/', 'a path starts with /')
    .optional()
    .describe('GET this path; 2xx and 3xx are healthy'),
  tcp: z.literal(true).optional().describe('a connection that is accepted is healthy (the default)'),
  port: name.optional().describe("which of the service's ports; the first where absent"),
  grpc: notYet('gRPC health checks'),
  exec: notYet('checks by command'),
  ...timing,
});

export const serviceSchema = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe('program and arguments; {port} and {port.NAME} are replaced'),
  cwd: z.string().optional().describe("working directory; the configuration's folder where absent"),
  env: z.record(z.string(), z.string()).default({}).describe('added to the environment'),
  instances: z.int().min(0).max(256).default(1),
  ports: z
    .record(name, either('auto or a port', [z.literal('auto'), port]))
    .default({ http: 'auto' })
    .describe('PORT is the first, PORT_NAME each; auto takes one from ports.range'),
  check: targetCheckSchema.prefault({}),
  restart: z
    .strictObject({
      backoff: backoff('500ms..60s').default({ min: 500, max: 60_000 }),
      limit: rate('10/1m')
        .default({ count: 10, perMs: 60_000 })
        .describe('more starts than this is crash-looping'),
    })
    .prefault({}),
  stop: z
    .strictObject({
      signal: z.enum(['SIGTERM', 'SIGINT', 'SIGHUP']).default('SIGTERM'),
      timeout: duration('10s', 0).default(10_000).describe('then SIGKILL'),
    })
    .prefault({}),
  register: notYet('registering services'),
  dependsOn: notYet('start order'),
});

export const checkSchema = z.strictObject({
  url: z
    .string()
    .regex(/^(tcp|https?):\/\/\S+$/, 'a check is a URL: tcp://host:port, http://… or https://…')
    .describe('tcp://host:port, http://… or https://…'),
  ...timing,
  onDown: notYet('actions'),
  onUp: notYet('actions'),
  dependsOn: notYet('dependencies between checks'),
});

export type TargetCheckConfig = z.infer<typeof targetCheckSchema>;
export type ServiceConfig = z.infer<typeof serviceSchema>;
export type CheckConfig = z.infer<typeof checkSchema>;
