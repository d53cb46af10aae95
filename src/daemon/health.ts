// Whether the daemon is well (every part does its work) and ready (it wants to be sent work).
import * as z from 'zod';
import { type DaemonStatus, stateSchema } from './status.ts';

export const healthSchema = z.object({
  ok: z.boolean(),
  state: stateSchema,
  parts: z.array(
    z.object({
      part: z.string().describe('listener/web, service/user-api, check/database'),
      ok: z.boolean(),
      detail: z.string(),
    }),
  ),
});

export const readySchema = z.object({ ok: z.boolean(), state: stateSchema });

export type HealthReport = z.infer<typeof healthSchema>;
export type HealthPart = HealthReport['parts'][number];

export function healthOf(status: DaemonStatus): HealthReport {
  const parts = [
    ...status.listeners.map(({ name, binds }) => {
      const broken = binds.filter((bind) => !bind.listening || bind.verified === false);
      const detail = broken.map((bind) =>
        bind.listening
          ? `${bind.address}: a test connection did not arrive here`
          : `${bind.address}: not listening`,
      );
      return part(`listener/${name}`, broken.length === 0, detail.join('; ') || 'listening');
    }),
    ...status.services.map(({ name, instances }) => {
      const up = instances.filter(({ state }) => state === 'up' || state === 'finished').length;
      return part(
        `service/${name}`,
        up > 0 || instances.length === 0,
        `${up} of ${instances.length} instances up`,
      );
    }),
    // What is not known yet is not an illness.
    ...status.checks.map(({ name, verdict, reason }) =>
      part(`check/${name}`, verdict !== 'down', reason ? `${verdict}: ${reason}` : verdict),
    ),
  ];
  return {
    ok: status.state === 'ready' && parts.every(({ ok }) => ok),
    state: status.state,
    parts,
  };
}

function part(name: string, ok: boolean, detail: string): HealthPart {
  return { part: name, ok, detail };
}
