// What is in maintenance, by the subject that orders name.
import { computed } from '@preact/signals';
import { parseDuration } from '../../../src/core/quantity.ts';
import { status } from './live.ts';
import type { DaemonStatus, TargetStatus } from './types.ts';

export type Maintained = DaemonStatus['maintenance'][number];

export const hour = 3_600_000;
/** What the daemon accepts. */
const longest = 30 * 24 * hour;

const accepted = (ms: number) => (ms >= 1 && ms <= longest ? Math.round(ms) : null);

/** What a person wrote, as `reeve maintain` reads it (`90m`, `2h 30m`). Null where it is no such time. */
export function msFor(text: string): number | null {
  try {
    return accepted(parseDuration(text));
  } catch {
    return null;
  }
}

/** From now until what a date and time input has. */
export function msUntil(text: string, now: number): number | null {
  return text === '' ? null : accepted(Date.parse(text) - now);
}

const none: Maintained[] = [];
/** Stays the same list until the daemon tells another one. */
const list = computed(() => status.value?.maintenance ?? none);

/** The order that covers it: its own, or that of the service which it is an instance of. */
export const maintenanceOf = (subject: string) => covering(subject, list.value);

export function covering(subject: string, all: readonly Maintained[]): Maintained | null {
  const [, service] = /^(service\/[^/]+)\/\d+$/.exec(subject) ?? [];
  const of = (name: string | undefined) => all.find((each) => each.subject === name);
  return of(subject) ?? of(service) ?? null;
}

/** Null for what only the registry knows: that is not this daemon's to look after. */
export function subjectOf(
  listener: string,
  { id, instance }: Pick<TargetStatus, 'id' | 'instance'>,
  services: DaemonStatus['services'],
): string | null {
  if (instance === null) return `target/${listener}/${id}`;
  const isOurs = services.some(({ instances }) => instances.some((each) => each.id === instance));
  return isOurs ? `service/${instance}` : null;
}
