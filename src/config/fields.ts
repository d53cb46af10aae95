// The schema's small parts: text with a unit becomes a value, and the error says what was expected.
import * as z from 'zod';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../core/endpoint.ts';
import { errorMessage, ReeveError } from '../core/errors.ts';
import { parseDuration, parseDurationRange, parseRate, parseSize } from '../core/quantity.ts';
import { parseRange } from '../core/range.ts';
import { expected } from './problems.ts';

/** A string that `parse` turns into a value; its own error text becomes the issue. */
export function parsed<T>(parse: (text: string) => T, what: string, example: string) {
  return z
    .string({ error: ({ input }) => expected(`${what} such as ${example}`, input) })
    .meta({ examples: [example], kind: bare(what) })
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        context.issues.push({ code: 'custom', message: errorMessage(error), input: text });
        return z.NEVER;
      }
    });
}

/** Without its article, as the reference's tables have it. */
const bare = (what: string) => what.replace(/^an? /, '');

/** Node's timers hold 2³¹−1 ms, and run at once when asked for more. */
const longest = 24 * 86_400_000;

function durationAtLeast(least: number) {
  return (text: string) => {
    const ms = parseDuration(text);
    if (ms >= least && ms <= longest) return ms;
    throw new ReeveError(
      'config',
      `'${text}' is ${ms < least ? 'too short' : 'too long'}: from ${least}ms to 24d are accepted`,
    );
  };
}

/** `least` in milliseconds keeps what repeats from spinning. */
export const duration = (example = '5s', least = 1) => parsed(durationAtLeast(least), 'a duration', example);
export const size = (example = '10MB') =>
  parsed(
    (text) => {
      const bytes = parseSize(text);
      if (bytes >= 1) return bytes;
      throw new ReeveError('config', `'${text}' is too small: at least 1B is accepted`);
    },
    'a size',
    example,
  );
export const rate = (example = '1000/s') => parsed(parseRate, 'a rate', example);
export const backoff = (example = '500ms..60s') =>
  parsed(
    (text) => {
      const range = parseDurationRange(text);
      if (range.min >= 10 && range.max <= longest) return range;
      throw new ReeveError('config', `'${text}' is no backoff: from 10ms to 24d are accepted`);
    },
    'a range of durations',
    example,
  );
export const portRange = (example = '20000-32000') => parsed(parseRange, 'a range of ports', example);
export const port = z.int().min(1).max(65535);

/** `host:port` to listen on; port 0 lets the system choose. */
export const bindAddress = (example = '[::]:8080') =>
  parsed((text) => tcpOnly(parseEndpoint(text, { leastPort: 0 })), 'host:port', example);
/** The same, or `udp://host:port`. */
export const listenAddress = (example = '[::]:8080') =>
  parsed((text) => parseEndpoint(text, { leastPort: 0 }), 'host:port', example);
/** `host:port` to connect to. */
export const dialAddress = parsed((text) => tcpOnly(parseEndpoint(text)), 'host:port', '10.0.0.5:8080');

function tcpOnly(endpoint: Endpoint): Endpoint {
  if (endpoint.protocol === 'tcp') return endpoint;
  throw new ReeveError(
    'config',
    `${formatEndpoint(endpoint)} names a protocol, and this takes host:port alone`,
  );
}

/** Names appear in metrics, URLs, file names and environment variables. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_-]{0,62}$/,
    'a name starts with a letter and holds letters, digits, - and _ (at most 63)',
  );

/** One of several kinds of value; `what` names them all. */
export function either<const T extends readonly [z.ZodType, ...z.ZodType[]]>(what: string, kinds: T) {
  return z.union(kinds, { error: ({ input }) => expected(what, input) }).meta({ kind: bare(what) });
}

/** Whose address it is. */
export const client = either('an address, or a block such as 10.0.0.0/8', [
  z.cidrv4(),
  z.cidrv6(),
  z.ipv4(),
  z.ipv6(),
]);
