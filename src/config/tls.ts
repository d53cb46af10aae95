// Schema of a listener's `proxyProtocol:` and `tls:`, and of `balance.tls:`.
import * as z from 'zod';
import { client, dialAddress, either, name } from './fields.ts';

const file = z.string().min(1);
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

/** Fixed targets, in their short or long form. */
export const targetSchema = either('host:port, or a map with an address', [
  dialAddress.transform((address) => ({ address, weight: 1, backup: false, max: undefined })),
  z.strictObject({
    address: dialAddress.describe('host:port'),
    weight: z.int().min(0).max(256).default(1).describe('share of the connections; 0 gets none'),
    backup: z.boolean().default(false).describe('used when no other target is healthy'),
    max: z.int().min(1).optional().describe('connections open to it at once; maxPerTarget where absent'),
  }),
]);

const identity = {
  cert: file.optional().describe('PEM file: the certificate, then those that lead to its authority'),
  key: file.optional().describe('PEM file: its private key'),
  passphraseFile: file.optional().describe('holds what the private key is encrypted with'),
};

const serverName = z
  .string()
  .regex(
    /^(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/,
    'a name in lower case such as a.example.com, or *.example.com for one label',
  );

const sniSchema = z.strictObject({
  ...identity,
  service: name.optional().describe('where its connections go; where balance says otherwise'),
  port: name.optional().describe("which of the service's ports; the first where absent"),
  targets: z.array(targetSchema).min(1).optional().describe('fixed targets, in place of a service'),
});

export const listenerTlsSchema = z.strictObject({
  mode: z
    .enum(['terminate', 'passthrough'])
    .default('terminate')
    .describe('take TLS off, or only read the server name and pass everything on'),
  ...identity,
  clientCa: file
    .optional()
    .describe('PEM file: the authorities that client certificates are verified against'),
  clientAuth: z
    .enum(['none', 'request', 'require'])
    .optional()
    .describe('whether clients show a certificate; require where clientCa is given'),
  alpn: z
    .array(z.string().min(1).max(255))
    .min(1)
    .max(16)
    .optional()
    .describe('protocols that are offered, favourite first, such as h2'),
  minVersion: either('1.2 or 1.3', [z.literal([1.2, 1.3]), z.enum(['1.2', '1.3'])])
    .default('1.2')
    .transform((version) => (Number(version) === 1.3 ? 'TLSv1.3' : 'TLSv1.2'))
    .describe('the oldest version of TLS that is spoken'),
  ciphers: z.string().min(1).optional().describe("OpenSSL's list of cipher suites; Node's where absent"),
  sni: z
    .record(serverName, sniSchema)
    .default({})
    .describe('by the server name that the client asks for: another certificate, other targets'),
  unknownName: z
    .enum(['default', 'refuse'])
    .default('default')
    .describe('clients that ask for a name that is not in sni, or for none'),
});

export const targetTlsSchema = z.strictObject({
  ca: file.optional().describe("PEM file: the authorities to trust; Node's where absent"),
  servername: z
    .string()
    .min(1)
    .optional()
    .describe("the name to ask for and to verify; the target's where absent"),
  verify: z.boolean().default(true).describe('whether the certificate has to be valid for that name'),
  cert: file.optional().describe('PEM file: a certificate to show'),
  key: file.optional().describe('PEM file: its private key'),
});

export type TargetTlsConfig = z.infer<typeof targetTlsSchema>;
