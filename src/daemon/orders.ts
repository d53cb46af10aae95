// What the daemon can be told to do beyond reading its status, and what it answers, as schemas.
import * as z from 'zod';
import { maintenanceSchema } from './status.ts';

/** 30 days: what lasts longer belongs into the configuration. */
const longestMaintenance = 30 * 86_400_000;

const target = z
  .string()
  .min(1)
  .max(300)
  .describe('host:port of a target, or the instance behind it (user-api/0)');
const listener = z.exactOptional(
  z.string().min(1).max(63).describe('only in this listener; in all where absent'),
);
const service = z.string().min(1).max(63);
const targets = z.object({
  targets: z.array(z.string()).describe('listener: host:port, one for each listener that has the target'),
});

export const drainRequest = z.strictObject({
  target,
  listener,
  resume: z.exactOptional(z.boolean().describe('true takes the drain back')),
  deadlineMs: z.exactOptional(
    z
      .int()
      .min(0)
      .max(86_400_000)
      .describe('after so many milliseconds the connections that are still open are ended'),
  ),
});
export const drainResult = targets;

export const weightRequest = z.strictObject({
  target,
  listener,
  weight: z.int().min(0).max(256).nullable().describe('null: what the configuration says'),
});
export const weightResult = targets;

export const restartRequest = z.strictObject({
  service,
  instance: z.exactOptional(z.int().min(0).max(255).describe('all, one after the other, where absent')),
});
export const restartResult = z.object({ restarted: z.array(z.string()).describe('user-api/0') });

export const maintainRequest = z.strictObject({
  name: z.string().min(1).max(400).describe('user-api, check/user-api, user-api/0, 10.0.0.5:80'),
  forMs: z.exactOptional(
    z.int().min(1).max(longestMaintenance).describe('milliseconds; an hour where absent'),
  ),
  end: z.exactOptional(z.boolean().describe('true: it is over')),
});
export const maintainResult = z.object({
  subject: z.string(),
  maintenance: maintenanceSchema.describe('all that is in maintenance now'),
});

export const scaleRequest = z.strictObject({ service, instances: z.int().min(0).max(256) });
export const scaleResult = z.object({
  service: z.string(),
  before: z.int(),
  instances: z.int(),
  configured: z
    .int()
    .describe(
      'what the configuration says: it counts again when it says another number, and after a restart of the daemon',
    ),
});

const names = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(z.string()),
});

export const diffSchema = z.object({
  services: names,
  listeners: names,
  sinks: names,
  checks: names,
  ports: z.boolean().describe('the lease pool: it counts for new leases only'),
  restart: z
    .array(z.enum(['control', 'state', 'relay', 'registry', 'health']))
    .describe('sections that only a restart takes up'),
});

export const reloadResult = diffSchema.extend({
  changes: z.boolean().describe('false: the file says what it said before'),
});

export const upgradeRequest = z.strictObject({
  deadlineMs: z.exactOptional(
    z
      .int()
      .min(0)
      .max(86_400_000)
      .describe('that open connections get in the old process; 30,000 where absent'),
  ),
  timeoutMs: z.exactOptional(
    z
      .int()
      .min(1000)
      .max(3_600_000)
      .describe('that the new process gets to become ready; 60,000 where absent'),
  ),
});
export const upgradeResult = z.object({
  before: z.object({ pid: z.int(), version: z.string() }),
  after: z.object({ pid: z.int() }),
  control: z.string().describe('host:port of the control API, which the new process has now'),
  ms: z.int().describe('from the order until the new process accepted'),
  connections: z.int().describe('those that end in the old process'),
  deadlineMs: z.int().describe('that they have for it'),
});

export type DrainRequest = z.infer<typeof drainRequest>;
export type DrainResult = z.infer<typeof drainResult>;
export type WeightRequest = z.infer<typeof weightRequest>;
export type WeightResult = z.infer<typeof weightResult>;
export type RestartRequest = z.infer<typeof restartRequest>;
export type RestartResult = z.infer<typeof restartResult>;
export type MaintainRequest = z.infer<typeof maintainRequest>;
export type MaintainResult = z.infer<typeof maintainResult>;
export type ScaleRequest = z.infer<typeof scaleRequest>;
export type ScaleResult = z.infer<typeof scaleResult>;
export type ReloadResult = z.infer<typeof reloadResult>;
export type UpgradeRequest = z.infer<typeof upgradeRequest>;
export type UpgradeResult = z.infer<typeof upgradeResult>;
