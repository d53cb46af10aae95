// Schema of a listener's `proxyProtocol:`.
import { z } from 'zod';
import { client, either } from './fields.ts';

const proxyVersion = z.enum(['v1', 'v2']);

export const proxyProtocolSchema = z.strictObject({
  accept: either('false, true, v1 or v2', [z.boolean(), proxyVersion])
    .default(false)
    .describe('every connection starts with a PROXY header, of this version or (true) of either'),
  from: z.array(client).min(1).optional().describe('the proxies that may send it: their own addresses'),
  send: either('false, v1 or v2', [z.literal(false), proxyVersion])
    .default(false)
    .describe('targets get a PROXY header first'),
});
