// Carries out what is to be done when a verdict changes: in a bounded queue, in order for each check, each told as an event.
import { hostname } from 'node:os';
import type { ActionConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { formatDuration, formatRate, type Rate } from '../core/quantity.ts';
import { printable } from '../core/text.ts';
import type { System } from '../system/index.ts';
import { runCommand } from './command.ts';
import { withDeadline } from './deadline.ts';
import { settled } from './settled.ts';
import { postWebhook } from './webhook.ts';

/** What actions are told; posted by webhooks as it is. Documented in docs/guide/health-checks.md. */
export interface ActionRecord {
  event: 'down' | 'up';
  /** `database`; of a service's check `user-api/0`, of a target's `web/10.0.0.5:80`. */
  check: string;
  /** `check/database`, `service/user-api/0`, `target/web/10.0.0.5:80`. */
  subject: string;
  verdict: string;
  reason: string | null;
  detail: string;
  /** ISO 8601: since when it is so. */
  since: string;
  /** How often it was told before, since it went down. */
  repeats: number;
}

export interface Actions {
  take(record: ActionRecord, actions: readonly ActionConfig[]): void;
  /** Gives up what is waiting; resolves when nothing is under way. */
  close(): Promise<void>;
}

export interface ActionsDeps {
  context: Context;
  system: Pick<System, 'processes' | 'containment' | 'startable'>;
  env: NodeJS.ProcessEnv;
  /** Commands are run here. */
  folder: string;
  /** Of a service, all instances one after another; resolves when all are up again. */
  restart(service: string): Promise<unknown>;
  /** Takes out of the registry what checks that are down want out. */
  deregister(): void;
  told(action: string, outcome: ActionOutcome): void;
}

/** Closed: it is a label of the metrics. `capped`: restarts beyond the limit; `dropped`: the queue was full. */
const actionOutcomes = ['done', 'failed', 'capped', 'dropped'] as const;
export type ActionOutcome = (typeof actionOutcomes)[number];

interface Job {
  record: ActionRecord;
  action: ActionConfig;
}

interface Found {
  outcome: ActionOutcome;
  words: string;
  tries?: number;
}

const mostAtOnce = 4;
const mostWaiting = 500;
const usual = { run: 30_000, restart: 120_000, grace: 30_000, limit: { count: 3, perMs: 600_000 } };

export function createActions(deps: ActionsDeps): Actions {
  const { context, told } = deps;
  const waiting: Job[] = [];
  const busy = new Map<string, Promise<void>>();
  const ending = new AbortController();
  /** Times (monotonic, ms) of restarts by service, within the longest limit. */
  const restarts = new Map<string, number[]>();

  const tell = ({ record, action }: Job, { outcome, words, tries = 1 }: Found) => {
    const kind = kindOf(action);
    told(kind, outcome);
    const after = tries > 1 ? ` (${tries} tries)` : '';
    context.emit({
      kind: 'action',
      subject: record.subject,
      message: `${record.event}: ${kind} ${outcome}: ${words}${after}`,
      detail: { action: kind, event: record.event, outcome, tries },
    });
  };
  const run = async (action: ActionConfig & { run: string[] }, record: ActionRecord): Promise<Found> => {
    const { folder, system } = deps;
    const timeout = action.timeout ?? usual.run;
    const spec = {
      command: action.run,
      cwd: folder,
      env: environment(record, deps.env),
      input: JSON.stringify(record),
    };
    return withDeadline(timeout, ending.signal, async (signal) => {
      try {
        const { code, words, output } = await runCommand(spec, system, signal);
        const said = printable(output).slice(0, 300);
        return { outcome: code === 0 ? 'done' : 'failed', words: said === '' ? words : `${words}: ${said}` };
      } catch (error) {
        if (!signal.aborted) throw error;
        return { outcome: 'failed', words: `ended after ${formatDuration(timeout)}` };
      }
    });
  };
  const restart = async ({
    restart: service,
    limit = usual.limit,
    grace = usual.grace,
    timeout = usual.restart,
  }: ActionConfig & { restart: string }): Promise<Found> => {
    const refused = refusal(restarts, service, context.clock.monotonic(), limit, grace);
    if (refused) return { outcome: 'capped', words: `${service} is not restarted: ${refused}` };
    const work = deps.restart(service);
    await withDeadline(timeout, ending.signal, (signal) =>
      settled(signal, ({ resolve, reject }) => void work.then(resolve, reject)),
    ).catch((error) => {
      if (errorCode(error) !== 'timeout') throw error;
      throw new ReeveError('timeout', `not up again within ${formatDuration(timeout)}`);
    });
    return { outcome: 'done', words: `${service} is up again` };
  };
  const carryOut = async (job: Job): Promise<Found> => {
    const { action, record } = job;
    if (action.run) return run({ ...action, run: action.run }, record);
    if (action.restart !== undefined) return restart({ ...action, restart: action.restart });
    if (action.deregister !== undefined) {
      deps.deregister();
      return { outcome: 'done', words: `${action.deregister} is out of the registry until it is up again` };
    }
    const sent = { ...record, host: hostname(), sentAt: new Date(context.clock.wall()).toISOString() };
    const webhook = { ...action, webhook: action.webhook! };
    const { ok, words, tries } = await postWebhook(webhook, sent, context, ending.signal);
    return { outcome: ok ? 'done' : 'failed', words, tries };
  };
  const pump = () => {
    while (busy.size < mostAtOnce) {
      const at = waiting.findIndex(({ record }) => !busy.has(record.subject));
      if (at < 0) return;
      const [job] = waiting.splice(at, 1);
      const { subject } = job!.record;
      const work = carryOut(job!)
        .catch((error): Found => ({ outcome: 'failed', words: printable(errorMessage(error)).slice(0, 300) }))
        .then((found) => {
          if (!ending.signal.aborted) tell(job!, found);
          busy.delete(subject);
          pump();
        });
      busy.set(subject, work);
    }
  };
  return {
    take(record, actions) {
      for (const action of actions) {
        const job = { record, action };
        if (waiting.length < mostWaiting && !ending.signal.aborted) waiting.push(job);
        else tell(job, { outcome: 'dropped', words: `${mostWaiting} actions are waiting already` });
      }
      pump();
    },
    async close() {
      ending.abort();
      waiting.length = 0;
      await Promise.all(busy.values());
    },
  };
}

const kindOf = ({ run, restart, deregister }: ActionConfig) =>
  run ? 'run' : restart !== undefined ? 'restart' : deregister !== undefined ? 'deregister' : 'webhook';

/** Why not now, or null, and it counts. */
function refusal(
  restarts: Map<string, number[]>,
  whom: string,
  now: number,
  limit: Rate,
  grace: number,
): string | null {
  const recent = (restarts.get(whom) ?? []).filter((at) => now - at < Math.max(limit.perMs, grace));
  const last = recent.at(-1);
  restarts.set(whom, recent);
  if (last !== undefined && now - last < grace) return `it was ${formatDuration(now - last)} ago`;
  if (recent.filter((at) => now - at < limit.perMs).length >= limit.count)
    return `the limit is ${formatRate(limit)}`;
  recent.push(now);
  return null;
}

function environment(record: ActionRecord, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...env,
    REEVE_EVENT: record.event,
    REEVE_CHECK: record.check,
    REEVE_SUBJECT: record.subject,
    REEVE_VERDICT: record.verdict,
    REEVE_REASON: record.reason ?? '',
    REEVE_DETAIL: record.detail,
    REEVE_SINCE: record.since,
    REEVE_REPEATS: String(record.repeats),
  };
}
