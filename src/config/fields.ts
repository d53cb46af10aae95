// The schema's small parts: text with a unit becomes a value, and the error says what was expected.
import { z } from 'zod';
import { parseEndpoint } from '../core/endpoint.ts';
import { errorMessage } from '../core/errors.ts';
import { parseDuration, parseDurationRange, parseRate, parseSize } from '../core/quantity.ts';
import { parseRange } from '../core/range.ts';

/** A string that `parse` turns into a value; its own error text becomes the issue. */
export function parsed<T>(parse: (text: string) => T, example: string) {
  return z
    .string()
    .meta({ examples: [example] })
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        context.issues.push({ code: 'custom', message: errorMessage(error), input: text });
        return z.NEVER;
      }
    });
}

export const duration = (example = '5s') => parsed(parseDuration, example);
export const size = (example = '10MB') => parsed(parseSize, example);
export const rate = (example = '1000/s') => parsed(parseRate, example);
export const durationRange = (example = '500ms..60s') => parsed(parseDurationRange, example);
export const portRange = (example = '20000-32000') => parsed(parseRange, example);
export const port = z.int().min(1).max(65535);

/** `host:port` to listen on; port 0 lets the system choose. */
export const bindAddress = parsed((text) => parseEndpoint(text, { leastPort: 0 }), '[::]:8080');
/** `host:port` to connect to. */
export const dialAddress = parsed((text) => parseEndpoint(text), '127.0.0.1:8080');

/** Names appear in metrics, URLs, file names and environment variables. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_-]{0,62}$/,
    'a name starts with a letter and holds letters, digits, - and _ (at most 63)',
  );

/** A section that the contract knows and this version does not serve: refused, never ignored. */
export function notYet(what: string) {
  return z
    .unknown()
    .optional()
    .refine((value) => value === undefined, { message: `not supported yet: ${what}` })
    .transform((): undefined => undefined)
    .meta({ description: `Not supported yet: ${what}.` });
}
