// Errors as the API tells them: problem+json (RFC 9457), with reeve's own code and hint.
import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import { type ErrorCode, errorCodes, errorMessage, isReeveError } from '../core/errors.ts';

export const problemSchema = z
  .object({
    type: z.string().describe('urn:portreeve:error: and the code'),
    title: z.string(),
    status: z.int(),
    code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]).describe("reeve's own, which does not change"),
    detail: z.string().describe('what failed, the current value, what is accepted'),
    hint: z.string().nullable().describe('what to do next'),
  })
  .describe('why a request was refused, or failed (RFC 9457)');

export type Problem = z.infer<typeof problemSchema>;

export const problemType = 'application/problem+json; charset=utf-8';

export function problem(
  status: number,
  code: ErrorCode,
  detail: string,
  hint: string | null = null,
): Problem {
  return {
    type: `urn:portreeve:error:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    hint,
  };
}

/** A failure that nobody foresaw says no more than that: its text may hold what the caller must not see. */
export function problemOf(error: unknown): Problem {
  if (isReeveError(error)) {
    // 499 is known to proxies alone.
    return problem(error.httpStatus === 499 ? 503 : error.httpStatus, error.code, error.message, error.hint);
  }
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return problem(status, status === 404 ? 'not-found' : 'usage', errorMessage(error));
  }
  return problem(500, 'fault', 'an unforeseen error; the log has it');
}
