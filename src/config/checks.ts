// Schema of `checks:`, of the checks of services and targets, of what is done when a verdict changes, and of `health:`.
import * as z from 'zod';
import { parseProbeUrl, parseStatuses } from '../core/probe-url.ts';
import { duration, either, name, parsed, rate } from './fields.ts';

/** Field guides' and our defaults: every 5 s, 3 s timeout, 3 failures, 2 successes, 1 s while changing. */
const timing = {
  interval: duration('5s', 10).prefault('5s').describe('time between probes, ±10 % so that they spread'),
  timeout: duration('3s').prefault('3s').describe('a probe without an answer by then has failed'),
  fall: z.int().min(1).max(100).default(3).describe('failures in a row that make it down'),
  rise: z.int().min(1).max(100).default(2).describe('successes in a row that bring it back'),
  fastInterval: duration('1s', 10)
    .prefault('1s')
    .describe('time between probes while results and verdict disagree'),
  initial: z
    .enum(['unknown', 'up', 'down'])
    .default('unknown')
    .describe('what it counts as before anything is known; from unknown one success is enough'),
};

const headers = z.record(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'the name of a header has no such characters'),
  z.string().regex(/^[\t\x20-\x7e]*$/, 'the value of a header has no such characters'),
);
const command = z.array(z.string().min(1)).min(1);

/** What a good answer is. Which of these goes with which URL stands in check-rules.ts. */
const answers = {
  method: z
    .string()
    .regex(/^[A-Z]{1,20}$/, 'a method is written in capital letters')
    .optional()
    .describe('HTTP: the method; GET where absent'),
  headers: headers.optional().describe('HTTP: headers to send'),
  status: parsed(parseStatuses, 'statuses', '200-299,401')
    .optional()
    .describe('HTTP: statuses that are healthy; 200-399 where absent, and 429 is degraded'),
  redirects: z.int().min(0).max(20).optional().describe('HTTP: how many are followed; none where absent'),
  send: z.string().max(4096).optional().describe('TCP, UDP, unix: what is said first; hex:00ff for bytes'),
  expect: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('what the answer, or the body, must hold; /…/ is a regular expression'),
};

const actionSchema = z.strictObject({
  run: command
    .optional()
    .describe('a command; it is told by REEVE_CHECK, REEVE_VERDICT… and a JSON record on standard input'),
  webhook: z
    .url({ protocol: /^https?$/, error: 'a webhook is http://… or https://…' })
    .optional()
    .describe('a URL that the JSON record is posted to'),
  headers: headers.optional().describe('webhook: headers to send'),
  secret: z
    .string()
    .min(1)
    .optional()
    .describe('webhook: signs it, in the header x-portreeve-signature (HMAC with SHA-256)'),
  retries: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('webhook: further tries, 1 s to 1 min apart; 5 where absent'),
  restart: name.optional().describe('a service: its instances, one after another'),
  deregister: name.optional().describe('a service: it is out of the registry until the check is up again'),
  limit: rate('3/10m').optional().describe('restart: at most so many in the time; 3/10m where absent'),
  grace: duration('30s', 0).optional().describe('restart: none for so long after one; 30s where absent'),
  timeout: duration('30s').optional().describe('for each try; run 30s, webhook 10s, restart 2m where absent'),
});

const alerts = {
  onDown: z
    .array(actionSchema)
    .max(10)
    .default([])
    .describe('what is done when it goes down: run, webhook, restart or deregister'),
  onUp: z.array(actionSchema).max(10).default([]).describe('what is done when it is up again after that'),
  repeat: duration('1h', 1000).optional().describe('onDown again and again, for as long as it is down'),
  flap: rate('6/10m')
    .prefault('6/10m')
    .describe('with more changes than this in the time it is flapping: actions are held until it is stable'),
};

/** How a service's or a target's own address is probed. */
export const targetCheckSchema = z.strictObject({
  http: z
    .string()
    .startsWith('/', 'a path starts with /')
    .optional()
    .describe('ask for this path; 2xx and 3xx are healthy'),
  tcp: z.literal(true).optional().describe('a connection that is accepted is healthy (the default)'),
  udp: z.literal(true).optional().describe('a datagram that is answered is healthy: see send and expect'),
  grpc: either('true, or the name of a gRPC service', [z.literal(true), z.string().regex(/^[\w.]{1,200}$/)])
    .optional()
    .describe('the gRPC health protocol: of the server, or of a service of it'),
  exec: command
    .optional()
    .describe('a command, with HOST and PORT in its environment; exit code 0 is up, 1 degraded, others down'),
  port: name.optional().describe("which of the service's ports; the first where absent"),
  ...answers,
  ...timing,
  ...alerts,
});

export const checkSchema = z.strictObject({
  url: parsed(probeUrl, 'a URL', 'tcp://127.0.0.1:5432').describe(
    'tcp://host:port, udp://…, http(s)://…, grpc(s)://host:port/service, tls://host:port, unix:/path or exec:command',
  ),
  ...answers,
  minDays: z
    .int()
    .min(0)
    .max(3650)
    .optional()
    .describe('TLS: degraded when a certificate ends sooner; of tls:// 14 where absent'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe('TLS: file of certificates to trust in place of the built-in ones'),
  insecure: z.boolean().optional().describe('TLS: accept certificates that do not verify'),
  ...timing,
  ...alerts,
  dependsOn: z
    .array(name)
    .max(100)
    .default([])
    .describe('checks without which this one cannot be up: while one is down, no action is taken'),
});

export const healthSchema = z.strictObject({
  gateway: parsed(probeUrl, 'a URL', 'tcp://10.0.0.1:53')
    .optional()
    .describe('asked when a probe beyond this machine fails: where it fails too, nothing is known'),
  concurrency: z.int().min(1).max(1024).default(32).describe('probes under way at once'),
});

function probeUrl(text: string): string {
  parseProbeUrl(text);
  return text;
}

export type TargetCheckConfig = z.infer<typeof targetCheckSchema>;
export type CheckConfig = z.infer<typeof checkSchema>;
export type ActionConfig = z.infer<typeof actionSchema>;
