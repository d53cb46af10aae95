// Schema of `services:` and `checks:`: what reeve runs, and how health is asked for.
import { z } from 'zod';
import { parseEndpoint } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import { backoff, duration, either, name, notYet, parsed, port, rate } from './fields.ts';

/** Field guides' and our defaults: every 5 s, 3 s timeout, 3 failures, 2 successes, 1 s while changing. */
const timing = {
  interval: duration('5s', 10).prefault('5s').describe('time between probes, ±10 % so that they spread'),
  timeout: duration('3s').prefault('3s').describe('a probe without an answer by then has failed'),
  fall: z.int().min(1).max(100).default(3).describe('failures in a row that make it down'),
  rise: z.int().min(1).max(100).default(2).describe('successes in a row that bring it back'),
  fastInterval: duration('1s', 10)
    .prefault('1s')
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
  cwd: z.string().min(1).optional().describe("working directory; the configuration's folder where absent"),
  env: z
    .record(z.string().regex(/^[^=]+$/, 'the name of an environment variable has no ='), z.string())
    .default({})
    .describe("added to reeve's own environment"),
  instances: z.int().min(0).max(256).default(1).describe('how many run at once, each on ports of its own'),
  ports: z
    .record(name, either('auto or a port', [z.literal('auto'), port]))
    .default({ http: 'auto' })
    .describe(
      'names of ports; an instance finds the first in PORT and each in PORT_NAME. auto leases one from ports.range',
    ),
  check: targetCheckSchema.prefault({}).describe('how the health of an instance is asked for'),
  restart: z
    .strictObject({
      backoff: backoff('500ms..60s')
        .prefault('500ms..60s')
        .describe('the wait before a restart doubles from the one to the other'),
      limit: rate('10/1m')
        .prefault('10/1m')
        .describe('after more starts than this in the time it counts as crash-looping'),
    })
    .prefault({})
    .describe('starting an instance again after it ended'),
  stop: z
    .strictObject({
      signal: z
        .enum(['SIGTERM', 'SIGINT', 'SIGHUP'])
        .default('SIGTERM')
        .describe('what asks the instance to end'),
      timeout: duration('10s', 0)
        .prefault('10s')
        .describe('the whole process tree is killed when it has not ended by then'),
    })
    .prefault({})
    .describe('ending an instance'),
  register: notYet('registering services'),
  dependsOn: notYet('start order'),
});

function checkUrl(text: string): string {
  if (/^tcp:\/\//.test(text)) parseEndpoint(text);
  else if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new ReeveError(
      'config',
      `'${text}' is not a URL to check: write tcp://host:port, http://… or https://…`,
    );
  }
  return text;
}

export const checkSchema = z.strictObject({
  url: parsed(checkUrl, 'a URL', 'tcp://127.0.0.1:5432').describe('tcp://host:port, http://… or https://…'),
  ...timing,
  onDown: notYet('actions'),
  onUp: notYet('actions'),
  dependsOn: notYet('dependencies between checks'),
});

export type TargetCheckConfig = z.infer<typeof targetCheckSchema>;
export type ServiceConfig = z.infer<typeof serviceSchema>;
export type CheckConfig = z.infer<typeof checkSchema>;
