// The events of an instance: what happened, and where something is wrong, who has it and what a person can do.
import type { ServiceConfig } from '../config/index.ts';
import type { Emit, EventKind } from '../core/context.ts';
import { formatDuration } from '../core/quantity.ts';
import type { LostPort } from './claims.ts';
import type { Ports } from './launch.ts';
import type { Cause } from './restarts.ts';
import type { Retry } from './retry.ts';

export interface Notice {
  kind: EventKind;
  message: string;
  detail: Record<string, unknown>;
}

export class Notices {
  readonly #subject: string;
  readonly #emit: Emit;
  readonly #told = new Set<string>();

  constructor(subject: string, emit: Emit) {
    this.#subject = subject;
    this.#emit = emit;
  }

  tell({ kind, message, detail }: Notice): void {
    this.#emit({ kind, subject: this.#subject, message, detail });
  }

  /** Not again until `forget`, though it goes on. */
  once(key: string, notice: Notice): void {
    if (!this.#told.has(key)) this.tell(notice);
    this.#told.add(key);
  }

  wereTold(key: string): boolean {
    return this.#told.has(key);
  }

  forget(): void {
    this.#told.clear();
  }
}

export function told(message: string, detail: Record<string, unknown> = {}): Notice {
  return { kind: 'instance', message, detail };
}

export const stopped = told('stopped');
export const ended = (words: string) => told(`ended: ${words}`);
export const ready = (ms: number) => told(`ready after ${formatDuration(Math.max(0, ms))}`);

export function started(pid: number, ports: Ports): Notice {
  const on = Object.entries(ports).map(([name, port]) => `${name} ${port}`);
  return told(`started as PID ${pid}${on.length > 0 ? ` on ${on.join(', ')}` : ''}`, { pid, ports });
}

export function startsAgain(delay: number, { reason, detail }: Cause): Notice {
  return {
    kind: 'restart',
    message: `starts again in ${formatDuration(delay)}: ${detail}`,
    detail: { reason },
  };
}

export function portLost({ name, port, holder, movedTo }: LostPort): Notice {
  const who = holder?.words ?? 'another program';
  const then =
    movedTo === null
      ? `it waits until the port is free. To free it: reeve free ${port}`
      : `it moves to port ${movedTo}. To see more: reeve who ${port}`;
  return {
    kind: 'conflict',
    message: `port ${port} (${name}) is held by ${who}: ${then}`,
    detail: { port, holder: holder?.pid ?? null, movedTo },
  };
}

export function misplaced(elsewhere: readonly string[], ports: Ports): Notice {
  const own = Object.entries(ports).map(([name, port]) => `${port} (${name})`);
  const [first] = Object.keys(ports);
  return {
    kind: 'conflict',
    message: `listens on ${elsewhere.join(', ')}, but PORT was ${own.join(', ')}: make it listen on $PORT, or put {port.${first}} into its command`,
    detail: { listensOn: [...elsewhere], ports },
  };
}

export function crashLooping(
  instance: string,
  { limit, backoff }: ServiceConfig['restart'],
  { failures, recent }: Retry,
  last: string,
): Notice {
  const most = formatDuration(backoff.max);
  const often =
    recent.length > limit.count
      ? `more than ${limit.count} starts in ${formatDuration(limit.perMs)}`
      : `${failures} failures in a row`;
  return {
    kind: 'restart',
    message: `crash-looping: ${often}, last: ${last}; from now on one try in ${most}. See why: reeve logs ${instance}`,
    detail: { state: 'crash-looping' },
  };
}
