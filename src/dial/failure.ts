// One attempt that did not succeed: what it says of the target, and whether another may be made.
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';

export interface FailureTraits {
  /** Nothing has reached the target, or it may do the same twice. */
  again: boolean;
  /** Whether it tells of the target (and not of this machine, or of what was asked). */
  counts: boolean;
}

export class AttemptFailure extends Error implements FailureTraits {
  override readonly name = 'AttemptFailure';
  readonly again: boolean;
  readonly counts: boolean;

  constructor(message: string, { again, counts }: FailureTraits, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.again = again;
    this.counts = counts;
  }
}

/** Codes that tell of this machine, not of the target. */
const ownTrouble = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAI_AGAIN', 'EPERM']);

export function attemptFailure(error: unknown, again: boolean): AttemptFailure {
  if (error instanceof AttemptFailure) return error;
  const code = errorCode(error);
  const words =
    code === null || errorMessage(error).includes(code)
      ? errorMessage(error)
      : `${errorMessage(error)} (${code})`;
  return new AttemptFailure(words, { again, counts: !ownTrouble.has(code ?? '') }, error);
}

/** What whoever asked gets when no attempt is left. */
export function givenUp(name: string, tries: readonly string[], cause: unknown): ReeveError {
  const said = tries.slice(-4).join('; ');
  const more = tries.length > 4 ? `${tries.length - 4} earlier; ` : '';
  return new ReeveError('unreachable', `${name}: no target answered (${more}${said})`, {
    hint: 'Ask each by itself: reeve check tcp://HOST:PORT',
    cause,
  });
}
