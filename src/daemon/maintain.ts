// What a person means by a name: the check, service, instance or target that is taken into maintenance.
import { ReeveError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import type { Maintenance } from '../health/index.ts';
import type { MaintainRequest, MaintainResult } from './orders.ts';
import type { DaemonStatus } from './status.ts';

/** Where nobody says how long. */
const usual = 60 * 60_000;

/** @throws ReeveError `not-found`, or `usage` for a name of several things. */
export function maintain(
  { name, forMs, end }: MaintainRequest,
  status: DaemonStatus,
  maintenance: Maintenance,
): MaintainResult {
  const known = subjectsOf(status);
  const all = [...known, ...maintenance.list().map(({ subject }) => subject)];
  const fits = (subject: string) => subject === name || subject.replace(/^[^/]*\//, '') === name;
  const found = [
    ...new Set(all.filter((one) => fits(one) || (one.startsWith('target/') && one.endsWith(`/${name}`)))),
  ];
  if (found.length === 0) {
    const guess = nearest(
      name,
      known.map((subject) => subject.replace(/^[^/]*\//, '')),
    );
    throw new ReeveError('not-found', `no check, service or target is named '${name}'`, {
      hint: guess === null ? 'See reeve status' : `Did you mean '${guess}'?`,
    });
  }
  if (found.length > 1) {
    throw new ReeveError('usage', `'${name}' is several things`, {
      hint: `Write one of ${found.join(', ')}`,
    });
  }
  const [subject] = found as [string];
  if (!end) maintenance.begin(subject, forMs ?? usual);
  else if (!maintenance.end(subject)) throw new ReeveError('not-found', `${subject} is not in maintenance`);
  return { subject, maintenance: shown(maintenance) };
}

export function shown(maintenance: Maintenance): DaemonStatus['maintenance'] {
  return maintenance.list().map(({ subject, until }) => ({ subject, until: new Date(until).toISOString() }));
}

function subjectsOf({ checks, services, listeners }: DaemonStatus): string[] {
  return [
    ...checks.map(({ name }) => `check/${name}`),
    ...services.flatMap(({ name, instances }) => [
      `service/${name}`,
      ...instances.map(({ id }) => `service/${id}`),
    ]),
    // The targets of a service are its instances.
    ...listeners.flatMap(({ name, targets }) =>
      targets.filter(({ instance }) => instance === null).map(({ id }) => `target/${name}/${id}`),
    ),
  ];
}
