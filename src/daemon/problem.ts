// Errors as the API tells them: problem+json (RFC 9457), with reeve's own code and hint.
import { STATUS_CODES } from 'node:http';
import { errorMessage, isReeveError } from '../core/errors.ts';

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  hint: string | null;
}

export const problemType = 'application/problem+json; charset=utf-8';

export function problem(status: number, code: string, detail: string, hint: string | null = null): Problem {
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
