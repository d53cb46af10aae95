// Schema of `registry:` and of `services.NAME.register`: where services are announced, and as what.
import * as z from 'zod';
import { duration, either, name } from './fields.ts';

/** Consul itself takes no less than a minute; a restart of a machine must not cost the registration. */
const leastDeregister = 600_000;

const url = z.url({
  protocol: /^https?$/,
  error: 'an address of Consul is such as http://127.0.0.1:8500',
});

/** Of meta: what Consul accepts as a key. */
const metaKey = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'a key of meta holds letters, digits, - and _');

const consulSchema = z.strictObject({
  address: url
    .default('http://127.0.0.1:8500')
    .describe('the agent of this machine, with http or https; what is announced is announced there'),
  token: z.string().min(1).optional().describe('ACL token; better in a file'),
  tokenFile: z.string().min(1).optional().describe('file with the ACL token; read anew when it changes'),
  ca: z.string().min(1).optional().describe('file with the certificates that the agent is checked against'),
  cert: z.string().min(1).optional().describe("file with this client's certificate"),
  key: z.string().min(1).optional().describe("file with this client's key"),
  datacenter: name
    .optional()
    .describe("where services are looked for and leases kept; the agent's where absent"),
  deregisterCriticalAfter: duration('10m', leastDeregister)
    .optional()
    .describe('Consul forgets what has been critical for so long; it never does where absent'),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/, 'a prefix is such as portreeve or team/ports')
    .default('portreeve')
    .describe('of the keys that leases are kept under: who has the same shares one pool'),
});

export const registrySchema = either('embedded, or a map with consul', [
  z.literal('embedded'),
  z.strictObject({ consul: consulSchema.describe('a Consul agent') }),
]);

export const registerSchema = z.strictObject({
  name: name.optional().describe("the name that others find it by; the service's own where absent"),
  port: name.optional().describe('which of its ports is the main one; the first where absent'),
  address: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,253}$/, 'an address is an IP address or a host name')
    .optional()
    .describe("where others reach it; the address of Consul's node where absent"),
  tags: z.array(z.string().min(1).max(200)).default([]).describe('what others may choose by'),
  meta: z.record(metaKey, z.string().max(512)).default({}).describe('what others may read'),
  consulChecks: z
    .boolean()
    .default(false)
    .describe("let Consul probe it as its check says, in place of being told reeve's verdict"),
});

export type RegisterConfig = z.infer<typeof registerSchema>;
