// The errors that users meet: a stable code, what to do about it, and how each face (CLI, HTTP) reports it.

import { printable } from './text.ts';

/** Exit codes of the command line (documented in docs/cli.md); with several targets the worst wins. */
export const exit = {
  done: 0,
  no: 1,
  usage: 2,
  privilege: 3,
  unknown: 4,
  timeout: 5,
  fault: 70,
} as const;

interface Reporting {
  exit: number;
  http: number;
}

const reporting = {
  usage: { exit: exit.usage, http: 400 },
  config: { exit: exit.usage, http: 422 },
  unsupported: { exit: exit.usage, http: 501 },
  privilege: { exit: exit.privilege, http: 403 },
  unauthorized: { exit: exit.privilege, http: 401 },
  'not-found': { exit: exit.no, http: 404 },
  conflict: { exit: exit.no, http: 409 },
  unreachable: { exit: exit.no, http: 502 },
  unknown: { exit: exit.unknown, http: 503 },
  timeout: { exit: exit.timeout, http: 504 },
  aborted: { exit: exit.no, http: 499 },
  fault: { exit: exit.fault, http: 500 },
} as const satisfies Record<string, Reporting>;

export type ErrorCode = keyof typeof reporting;

export const errorCodes = Object.keys(reporting) as ErrorCode[];

/**
 * Every failure that reeve foresees. `hint` tells a person what to do next. Messages quote what came from elsewhere:
 * they are made safe to print here, wherever they are shown.
 */
export class ReeveError extends Error {
  override readonly name = 'ReeveError';
  readonly code: ErrorCode;
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(safe(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint === undefined ? null : safe(options.hint);
  }

  get exitCode(): number {
    return reporting[this.code].exit;
  }

  get httpStatus(): number {
    return reporting[this.code].http;
  }
}

function safe(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Survives two copies of the package in one process, where instanceof does not. */
export function isReeveError(error: unknown): error is ReeveError {
  return error instanceof Error && error.name === 'ReeveError' && 'exitCode' in error;
}

/** A call into the operating system that failed: `code` is errno's or WSA's name (`EADDRINUSE`). */
export class OsError extends Error {
  override readonly name = 'OsError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(code: string, errno: number, syscall: string) {
    super(`${syscall}: ${code}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** The `code` of a Node or OS error, if it has one. */
export function errorCode(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// From best to worst, for a command with several targets: a privilege problem hides the answer less than a fault.
const severity = [exit.done, exit.no, exit.timeout, exit.unknown, exit.privilege, exit.usage, exit.fault];

/** A code that is none of ours counts as a fault. */
export function worstExit(codes: Iterable<number>): number {
  const ranks = [...codes].map((code) => severity.indexOf(code as never));
  return ranks.includes(-1) ? exit.fault : severity[Math.max(0, ...ranks)]!;
}
