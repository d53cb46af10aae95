// Leases and their audit over the API, from the book that all reeve processes of this user share.
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { leaseAuditSchema, leaseSchema } from '../../core/records.ts';
import { auditRecord, leaseRecord } from '../../leases/index.ts';
import type { ApiParts } from '../api-parts.ts';
import { declare } from './declare.ts';

const auditQuery = z.strictObject({
  name: z.string().max(200).optional().describe('only of this name'),
  limit: z.coerce.number().int().min(1).max(2000).default(500).describe('the newest so many'),
});

export function leaseRoutes(app: FastifyInstance, { leases }: ApiParts): void {
  declare(
    app,
    {
      ...{ method: 'GET', url: '/api/v1/leases', response: leaseSchema },
      summary: 'Ports that are promised to names, as reeve leases --json says it.',
    },
    async () => leaseRecord(await (await leases()).list()),
  );
  declare(
    app,
    {
      ...{ method: 'GET', url: '/api/v1/leases/audit', query: auditQuery, response: leaseAuditSchema },
      summary: 'What happened to leases, oldest first, as reeve leases --audit --json says it.',
    },
    async ({ query: { name, limit } }) =>
      auditRecord(await (await leases()).audit({ limit, ...(name !== undefined && { name }) })),
  );
}
