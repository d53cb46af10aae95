// grpc://host:port/service and grpcs://…: the standard health protocol (grpc.health.v1.Health/Check).
import { isIP } from 'node:net';
import type { ChannelCredentials, Client, ServiceError } from '@grpc/grpc-js';
import { familyOf } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { ProbeUrl } from '../core/probe-url.ts';
import { printable } from '../core/text.ts';
import { resolve as resolveName } from './connect.ts';
import { trusted } from './handshake.ts';
import { type Attempt, fail, type Outcome, type ProbeFailure, type ProbeReason } from './outcome.ts';
import { settled } from './settled.ts';

type Grpc = typeof import('@grpc/grpc-js');

const method = '/grpc.health.v1.Health/Check';
/** grpc/health/v1/health.proto. */
const serving = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

export async function probeGrpc(url: ProbeUrl, attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
  attempt.phase = 'looking up the name';
  const addresses = await resolveName(url.host, signal);
  const grpc = await import('@grpc/grpc-js');
  const credentials = await credentialsFor(grpc, url, attempt);
  attempt.phase = 'connecting';
  const clients = targetsOf(addresses, url.port).map(
    (target) => new grpc.Client(target, credentials, channelOptions(url)),
  );
  try {
    return await firstAnswer(grpc, clients, url, attempt, signal);
  } finally {
    for (const client of clients) client.close();
  }
}

/** One for each family: a target of grpc-js holds addresses of one, and tries them one after the other. */
function targetsOf(addresses: string[], port: number): string[] {
  return (['ipv6', 'ipv4'] as const).flatMap((family) => {
    const own = addresses.filter((address) => familyOf(address) === family);
    return own.length === 0
      ? []
      : [`${family}:${own.map((address) => formatHostPort(address, port)).join(',')}`];
  });
}

async function credentialsFor(
  { credentials }: Grpc,
  { scheme }: ProbeUrl,
  attempt: Attempt,
): Promise<ChannelCredentials> {
  if (scheme === 'grpc') return credentials.createInsecure();
  const ca = (await trusted(attempt)) ?? null;
  return attempt.insecure
    ? credentials.createSsl(ca, null, null, {
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      })
    : credentials.createSsl(ca);
}

function channelOptions({ scheme, host, port }: ProbeUrl): Record<string, string | number> {
  return {
    // Shared by default, with the backoff of probes before this one.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.default_authority': formatHostPort(host, port),
    'grpc.max_receive_message_length': 64 * 1024,
    ...(scheme === 'grpcs' && isIP(host) === 0 && { 'grpc.ssl_target_name_override': host }),
  };
}

/** Both families are asked at once; the other's failure counts only where there is no answer. */
function firstAnswer(
  grpc: Grpc,
  clients: Client[],
  { rest: service }: ProbeUrl,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Outcome> {
  return settled<Outcome>(signal, ({ resolve, reject }) => {
    const failures: ServiceError[] = [];
    const calls = clients.map((client) => {
      const call = client.makeUnaryRequest(
        method,
        encodeRequest,
        decodeStatus,
        service,
        new grpc.Metadata({ waitForReady: false }),
        { deadline: Date.now() + attempt.timeout + 1000 },
        (error, status) => {
          const address = call.getPeer().replace(/^ipv[46]:/, '');
          if (!error) answered(status ?? 0, address);
          else if (isAnswer(grpc, error)) reject(refusedBy(grpc, error, service, address));
          else if (failures.push(error) === clients.length) reject(unreachable(failures));
        },
      );
      return call;
    });
    const answered = (status: number, address: string) => {
      const words = serving[status] ?? `status ${status}`;
      const named = service === '' ? 'the server' : `service ${printable(service)}`;
      const detail = `${named} is ${words} at ${address}`;
      if (status === 1) resolve({ verdict: 'up', reason: null, detail, facts: { address } });
      else reject(fail('not-serving', detail, { address }));
    };
    return () => {
      for (const call of calls) call.cancel();
    };
  });
}

/** The server itself said no, so that another address need not be asked. */
function isAnswer({ status }: Grpc, { code }: ServiceError): boolean {
  return code !== status.UNAVAILABLE && code !== status.CANCELLED && code !== status.DEADLINE_EXCEEDED;
}

function refusedBy({ status }: Grpc, error: ServiceError, service: string, address: string): ProbeFailure {
  const words = `${status[error.code]}: ${printable(error.details).slice(0, 150)}`;
  if (error.code === status.NOT_FOUND)
    return fail('not-serving', `${address} knows no service '${printable(service)}'`, { address });
  if (error.code === status.UNIMPLEMENTED)
    return fail('protocol', `${address} has no grpc.health.v1.Health (${words})`, { address });
  return fail('not-serving', `${words} (${address})`, { address });
}

const words: [RegExp, ProbeReason][] = [
  [/CERT_HAS_EXPIRED|certificate has expired/i, 'expired'],
  [/certificate|CERT_|SSL|TLS|ERR_SSL|altnames/i, 'tls'],
  [/ECONNREFUSED/, 'refused'],
  [/ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT/, 'unreachable'],
  [/ECONNRESET|EPIPE|closed|dropped/i, 'reset'],
];

function unreachable(failures: ServiceError[]): ProbeFailure {
  const details = failures.map(({ details }) => printable(details).slice(0, 200));
  const reasons = details.map((text) => words.find(([pattern]) => pattern.test(text))?.[1] ?? 'protocol');
  const weak = ['unreachable', 'refused'];
  const telling = reasons.find((reason) => !weak.includes(reason)) ?? reasons.at(-1)!;
  return fail(telling, details.join('; '));
}

/** HealthCheckRequest { string service = 1 }. */
function encodeRequest(service: string): Buffer {
  if (service === '') return Buffer.alloc(0);
  const name = Buffer.from(service);
  const length = name.length < 128 ? [name.length] : [(name.length & 127) | 128, name.length >> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** HealthCheckResponse { ServingStatus status = 1 }: proto3 leaves out a 0. */
function decodeStatus(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
