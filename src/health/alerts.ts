// Follows every check: what it was before, whether it flaps, what holds its actions back, and when they are due.
import type { Context } from '../core/context.ts';
import { isChanging } from '../core/health.ts';
import { formatDuration, formatRate } from '../core/quantity.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import type { Actions } from './actions.ts';
import { type Act, type AlertState, calm, type Hold, stepAlert } from './alert.ts';
import type { AlertPolicy, CheckSpec, ScheduledCheck } from './check.ts';
import { type FlapState, steady, stepFlap } from './flap.ts';
import type { Maintenance } from './maintenance.ts';
import type { Memory } from './memory.ts';
import type { Observer } from './scheduler.ts';

export interface Alerts extends Observer {
  /** What is said of a check beyond its verdict. */
  of(name: string): { flapping: boolean; held: Exclude<Hold, 'asking'> | null };
  /** Whether actions have been told that it is down, and not yet that it is up again. */
  isTold(name: string): boolean;
}

interface Row {
  check: ScheduledCheck;
  definition: string;
  alert: AlertState;
  flap: FlapState;
  /** The last that was up or down. */
  verdict: HealthVerdict;
  hold: Hold | null;
  held: Act | null;
  /** What memory has, to see a difference. */
  kept: unknown[];
}

/** A verdict is believed again after a restart when it is not older than this, or than three intervals. */
const trustFor = 60_000;
/** A dependency that cannot be asked must not keep anybody quiet. */
const askAtMost = 30_000;

const noAlerts: AlertPolicy = {
  onDown: [],
  onUp: [],
  repeat: null,
  flap: { count: 6, perMs: 600_000 },
  dependsOn: [],
};

export function createAlerts(
  { clock, emit }: Context,
  memory: Memory,
  maintenance: Maintenance,
  actions: Actions,
): Alerts {
  const rows = new Map<string, Row>();
  /** Names of those that are held because of a dependency, by its name. */
  const waiting = new Map<string, Set<string>>();

  const policyOf = ({ check }: Row) => check.spec.alerts ?? noAlerts;

  const dependencyHold = (row: Row, wall: number): { hold: Hold | null; by: string | null } => {
    const { check } = row;
    const free = { hold: null, by: null };
    if (check.state.verdict !== 'down' && check.last?.verdict !== 'down') return free;
    const dependencies = policyOf(row).dependsOn.flatMap((name) => rows.get(name)?.check ?? []);
    const down = dependencies.find(({ state }) => state.verdict === 'down');
    if (down) return { hold: 'dependency', by: down.name };
    const isNews = check.state.verdict === 'down' && row.alert.told === 'up';
    if (!isNews || Math.abs(wall - check.since) > askAtMost) return free;
    for (const dependency of dependencies) {
      const { state, lastStartedAt, lastAt, timing } = dependency;
      if (!isChanging(state) && (lastStartedAt ?? 0) >= check.since) continue;
      if (wall - (lastAt ?? 0) >= Math.min(timing.fastInterval, timing.interval)) dependency.nudge();
      return { hold: 'asking', by: dependency.name };
    }
    return free;
  };

  const evaluate = (row: Row, result: HealthVerdict | null) => {
    const { check } = row;
    const { state, name } = check;
    const policy = policyOf(row);
    const now = clock.wall();
    const changed = state.verdict !== row.verdict && state.verdict !== 'unknown' && row.verdict !== 'unknown';
    if (state.verdict !== 'unknown') row.verdict = state.verdict;
    const flap = stepFlap(row.flap, changed, now, policy.flap);
    if (flap.flapping !== row.flap.flapping) tellFlap(name, flap.flapping, policy);
    row.flap = flap;
    const because = dependencyHold(row, now);
    const hold = maintenance.covers(name) ? 'maintenance' : flap.flapping ? 'flapping' : because.hold;
    const { fall } = check.timing;
    const step = stepAlert(row.alert, {
      verdict: state.verdict,
      result,
      fall,
      hold,
      repeat: policy.repeat,
      now,
    });
    row.alert = step.state;
    wait(name, policy, because.hold !== null);
    const isNews = step.heldBack !== null && (row.held !== step.heldBack || row.hold !== hold);
    if (isNews && hold !== 'asking') tellHeld(name, step.heldBack!, hold!, because.by);
    if (hold !== 'asking') {
      row.held = step.heldBack;
      row.hold = hold;
    }
    if (step.act !== null) act(row, step.act, policy);
    remember(row, now);
  };

  const wait = (name: string, { dependsOn }: AlertPolicy, waits: boolean) => {
    for (const dependency of dependsOn) {
      const names = waiting.get(dependency) ?? new Set();
      if (waits) waiting.set(dependency, names.add(name));
      else if (names.delete(name) && names.size === 0) waiting.delete(dependency);
    }
  };

  const act = ({ check, alert }: Row, what: Act, { onDown, onUp }: AlertPolicy) => {
    const wanted = what === 'up' ? onUp : onDown;
    if (wanted.length === 0) return;
    const record = {
      event: what === 'up' ? ('up' as const) : ('down' as const),
      check: check.name.replace(/^[^/]*\//, ''),
      subject: check.name,
      verdict: check.state.verdict,
      reason: check.last?.reason ?? null,
      detail: check.summary,
      since: new Date(check.since).toISOString(),
      repeats: alert.repeats,
    };
    actions.take(record, wanted);
  };

  /** Only what is new: most results change nothing. */
  const remember = (row: Row, at: number) => {
    const { check, definition, alert, flap } = row;
    const { state, quality, since, summary, name } = check;
    const now = [state, quality, since, alert, flap];
    if (row.kept.every((value, n) => value === now[n])) return memory.confirm(name, at);
    row.kept = now;
    memory.keep(
      name,
      definition,
      { state, quality, since, summary, alert, flap: { ...flap, changes: [...flap.changes] } },
      at,
    );
  };

  const tellFlap = (subject: string, flapping: boolean, { flap }: AlertPolicy) => {
    const quiet = formatDuration(flap.perMs);
    const message = flapping
      ? `flapping: more changes than ${formatRate(flap)}; actions are held until there has been none for ${quiet}`
      : `stable again: no change for ${quiet}`;
    emit({ kind: 'health', subject, message, detail: { flapping } });
  };

  const tellHeld = (subject: string, what: Act, hold: Hold, by: string | null) => {
    const why = hold === 'dependency' ? `${by} is down, and it depends on it` : `it is ${words[hold]}`;
    const event = what === 'up' ? 'up' : 'down';
    const detail = { event, outcome: 'held', hold, by: hold === 'dependency' ? by : null };
    emit({ kind: 'action', subject, message: `${event}: suppressed: ${why}`, detail });
  };

  return {
    recall(spec) {
      const found = memory.recall(spec.name, definitionOf(spec));
      const bound = Math.max(trustFor, 3 * spec.timing.interval);
      // A clock that was set back makes it of the future: not to be trusted either.
      const age = found ? clock.wall() - found.at : 0;
      return found && spec.kept && age >= 0 && age <= bound ? found.kept : null;
    },
    added(check) {
      const definition = definitionOf(check.spec);
      const found = memory.recall(check.name, definition)?.kept;
      rows.set(check.name, {
        check,
        definition,
        alert: found?.alert ?? calm,
        flap: found?.flap ?? steady,
        verdict: check.state.verdict,
        hold: null,
        held: null,
        kept: [null],
      });
    },
    result(check) {
      const row = rows.get(check.name);
      if (row?.check !== check) return;
      evaluate(row, check.last?.verdict ?? null);
      const dependents = waiting.get(check.name);
      if (!dependents) return;
      for (const name of [...dependents]) {
        const dependent = rows.get(name);
        if (!dependent) continue;
        const before = dependent.hold;
        evaluate(dependent, null);
        // It may have come back together with what it depends on.
        if (before === 'dependency' && dependent.hold === null) dependent.check.nudge();
      }
    },
    removed(check) {
      const row = rows.get(check.name);
      if (row?.check !== check) return;
      wait(check.name, policyOf(row), false);
      rows.delete(check.name);
    },
    of(name) {
      const row = rows.get(name);
      const held = row && row.held !== null && row.hold !== 'asking' ? row.hold : null;
      return { flapping: row?.flap.flapping ?? false, held };
    },
    isTold: (name) => rows.get(name)?.alert.told === 'down',
  };
}

const words: Record<Hold, string> = {
  maintenance: 'in maintenance',
  flapping: 'flapping',
  dependency: 'waiting for a dependency',
  asking: 'asking a dependency',
};

/** Sets are lists in JSON; the system is no part of it. */
function definitionOf({ url, options, definition }: CheckSpec): string {
  if (definition !== undefined) return definition;
  const { system: _, ...rest } = options ?? {};
  return JSON.stringify([url, rest], (_key, value) => (value instanceof Set ? [...value] : value));
}
