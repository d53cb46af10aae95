// Orders about targets, by their id or by the instance behind them: draining, and weight.
import { ReeveError } from '../core/errors.ts';
import type { Row } from './listener-status.ts';
import type { DrainRequest, DrainResult, WeightRequest, WeightResult } from './orders.ts';
import type { Standings } from './standing.ts';
import type { SourcedTarget } from './targets.ts';

export interface TargetOrders {
  drainTarget(request: DrainRequest): DrainResult;
  weighTarget(request: WeightRequest): WeightResult;
}

type Which = Pick<DrainRequest, 'target' | 'listener'>;

/** `changed` is called once for each listener that has such a target. */
export function createTargetOrders(
  rows: ReadonlyMap<string, Row>,
  changed: (listener: string) => void,
): TargetOrders {
  /** The targets that an order means, with the listeners that have them. */
  function find({ target, listener }: Which): [Row, SourcedTarget][] {
    const some = [...rows.values()].filter(({ name }) => listener === undefined || name === listener);
    const found = some.flatMap((row) => {
      const all = row.source?.list() ?? [];
      const meant = all.filter(({ id }) => id === target || row.source?.instanceOf(id) === target);
      return meant.map((one): [Row, SourcedTarget] => [row, one]);
    });
    if (found.length > 0) return found;
    const known = [...rows.values()].flatMap(({ source }) => source?.list().map(({ id }) => id) ?? []);
    throw new ReeveError(
      'not-found',
      `no listener has the target '${target}': there are ${known.join(', ') || 'none'}`,
    );
  }

  function carryOut(which: Which, order: (standings: Standings, target: SourcedTarget) => void) {
    const found = find(which);
    for (const [row, target] of found) order(row.standings, target);
    for (const row of new Set(found.map(([row]) => row))) changed(row.name);
    return { targets: found.map(([row, { id }]) => `${row.name}: ${id}`) };
  }

  return {
    drainTarget: ({ resume = false, deadlineMs = null, ...which }) =>
      carryOut(which, (standings, { id }) =>
        resume ? standings.resume(id) : standings.drain(id, deadlineMs),
      ),
    weighTarget: ({ weight, ...which }) =>
      carryOut(which, (standings, target) => standings.setWeight(target, weight)),
  };
}
