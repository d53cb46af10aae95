// The machine's ports over the API: who holds them, why a bind fails, the ranges that the system keeps, and freeing one.
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';
import { freeSchema, type WhoRecord, whoSchema, whySchema } from '../../core/records.ts';
import {
  carryOut,
  type PreparedFree,
  parsePortTarget,
  parseTarget,
  planned,
  prepareFree,
  who,
  why,
} from '../../ports/index.ts';
import type { ApiParts } from '../api-parts.ts';
import { declare } from './declare.ts';

const range = z.object({ first: z.int(), last: z.int() });

const rangesSchema = z.object({
  pool: range.describe('ports.range: where auto ports come from'),
  exclude: z.array(z.int()).describe('ports.exclude: never given out'),
  ephemeral: range.nullable().describe('local ports of outgoing connections'),
  reserved: z.array(range).describe('never given to outgoing connections'),
  excluded: z.array(range).describe('refused to everybody (Windows)'),
  unprivilegedFrom: z.int().describe('ports below need privilege'),
  user: z.object({ name: z.string(), elevated: z.boolean() }),
});

const planSchema = freeSchema.extend({
  id: z.string().nullable().describe('carries out exactly this plan; null where there is nothing to do'),
});

const endpoint = z.string().min(1).max(300);
const freeBody = z.strictObject({ target: endpoint, force: z.boolean().default(false) });
const applyBody = z.strictObject({ id: z.string().min(1).max(60) });

/** Milliseconds. A plan that a person has looked at for longer is about a machine that has moved on. */
const planKept = 120_000;
const maxPlans = 16;
/** Milliseconds. The whole table with its holders is read for all who ask within this time. */
const tableKept = 900;

export function portRoutes(app: FastifyInstance, { system, config }: ApiParts): void {
  const plans = new Map<string, { prepared: PreparedFree; force: boolean; until: number }>();
  let table: { until: number; read: Promise<WhoRecord> } | null = null;
  let explaining: Promise<unknown> = Promise.resolve();
  let planCount = 0;

  const wholeTable = () => {
    const now = performance.now();
    if (!table || table.until < now) {
      const read = who(system);
      table = { until: now + tableKept, read };
      read.catch(() => {
        table = null;
      });
    }
    return table.read;
  };

  declare(
    app,
    {
      ...{ method: 'GET', url: '/api/v1/who', response: whoSchema },
      query: z.strictObject({
        target: z
          .string()
          .max(300)
          .optional()
          .describe('as for reeve who; every listening socket where absent'),
      }),
      summary: 'Who holds a port, as reeve who --json says it.',
      hint: 'Ask for target=3000, 3000-3010, udp:53, [::1]:8080, pid:123 or name:node',
    },
    ({ query }) => (query.target ? who(system, [parseTarget(query.target)]) : wholeTable()),
  );

  declare(
    app,
    {
      ...{ method: 'GET', url: '/api/v1/why', response: whySchema },
      query: z.strictObject({ endpoint: endpoint.describe('8080, 127.0.0.1:8080, udp:53') }),
      summary: 'Why a bind fails: binds it for a moment and explains, as reeve why --json does.',
      hint: 'Ask for endpoint=8080',
    },
    ({ query }) => {
      // One at a time: two binds of the same port would find each other.
      const answer = explaining.then(() => why(system, query.endpoint));
      explaining = answer.catch(() => {});
      return answer;
    },
  );

  declare(
    app,
    {
      ...{ method: 'GET', url: '/api/v1/ranges', response: rangesSchema },
      summary:
        'Ranges of ports that mean something: the lease pool, ephemeral, reserved, excluded, privileged.',
    },
    async () => {
      const { ephemeral, reserved, excluded, unprivilegedFrom, user } = await system.host.facts();
      const { ports } = config().config;
      return {
        ...{ pool: ports.range, exclude: ports.exclude, ephemeral, reserved, excluded, unprivilegedFrom },
        user: { name: user.name, elevated: user.elevated },
      };
    },
  );

  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/free', body: freeBody, response: planSchema },
      summary: 'Plans how one port would be freed, and touches nothing.',
      hint: 'Send {"target": "3000"}',
    },
    async ({ body: { target, force } }) => {
      const prepared = await prepareFree(system, [parsePortTarget(target)], { force });
      const [one] = prepared;
      if (prepared.length !== 1 || !one) throw new ReeveError('usage', `'${target}' is not one port`);
      const results = [planned(one)];
      if (one.plan.kind !== 'stop') return { id: null, results };
      const now = performance.now();
      for (const [id, { until }] of plans) if (until < now || plans.size >= maxPlans) plans.delete(id);
      const id = `${process.pid}-${++planCount}`;
      plans.set(id, { prepared: one, force, until: now + planKept });
      return { id, results };
    },
  );

  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/free/apply', body: applyBody, response: freeSchema },
      summary: 'Carries out a plan: exactly those processes, and proves that the port is free.',
      hint: 'Send {"id": "…"} of a plan that POST /api/v1/free gave',
    },
    async ({ body: { id } }) => {
      const plan = plans.get(id);
      plans.delete(id);
      if (!plan || plan.until < performance.now()) {
        throw new ReeveError('not-found', `there is no plan '${id}': plans are kept for two minutes`, {
          hint: 'Plan it again',
        });
      }
      const signal = AbortSignal.timeout(60_000);
      return { results: [await carryOut(system, plan.prepared, { force: plan.force }, signal)] };
    },
  );
}
