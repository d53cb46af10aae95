// free: stop whoever owns a port, exactly those, and prove that it is free afterwards.

import type { Protocol } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import { formatRange, portsOf } from '../core/range.ts';
import type { FreeResult } from '../core/records.ts';
import { printable } from '../core/text.ts';
import type { ProcessFacts, ProcessIdentity, System } from '../system/index.ts';
import { lookUpOwners } from './lookup.ts';
import { isSame, type PreparedFree, planFree, type Step } from './plan.ts';
import { prove, proveAlreadyFree } from './prove.ts';
import type { PortTarget } from './target.ts';

export interface FreeOptions {
  /** How long after SIGTERM before SIGKILL, in milliseconds. */
  timeoutMs?: number;
  /** How long to watch for somebody who takes the port again. */
  watchMs?: number;
  force?: boolean;
}

const maxPorts = 1024;

/** Looks at every port of the targets and plans; touches nothing. Ports of a range that nobody owns are left out. */
export async function prepareFree(
  system: System,
  targets: PortTarget[],
  options: FreeOptions = {},
): Promise<PreparedFree[]> {
  const prepared: PreparedFree[] = [];
  for (const target of targets) {
    const count = target.range.last - target.range.first + 1;
    if (count > maxPorts) {
      throw new ReeveError(
        'usage',
        `${formatRange(target.range)} has ${count} ports: free takes at most ${maxPorts} at once`,
      );
    }
    // A bare port means TCP, as it does to every other tool; UDP is asked for by name.
    const protocol = target.protocol ?? 'tcp';
    for (const port of portsOf([target.range])) {
      const one = await prepareOne(system, protocol, target.host, port, options.force ?? false);
      if (count === 1 || one.plan.kind !== 'nothing') prepared.push(one);
    }
    if (count > 1 && !prepared.some(({ port }) => port >= target.range.first && port <= target.range.last)) {
      prepared.push(await prepareOne(system, protocol, target.host, target.range.first, false));
    }
  }
  return prepared;
}

async function prepareOne(
  system: System,
  protocol: Protocol,
  host: string | null,
  port: number,
  force: boolean,
): Promise<PreparedFree> {
  const lookup = await lookUpOwners(system, protocol, host, port);
  const plan = planFree({
    sockets: lookup.sockets,
    tree: lookup.tree,
    self: await system.processes.facts(process.pid),
    selfPid: process.pid,
    force,
  });
  return { endpoint: `${protocol}:${host ? `${host}:` : ''}${port}`, port, protocol, host, plan, lookup };
}

/** The plan as a result, for --dry-run and for what is refused. */
export function planned({ endpoint, plan }: PreparedFree): FreeResult {
  if (plan.kind === 'nothing') {
    return {
      endpoint,
      outcome: 'already-free',
      plan: [],
      reason: null,
      proof: 'no socket owns it (not bound to prove it)',
    };
  }
  if (plan.kind === 'refuse') {
    return { endpoint, outcome: 'refused', plan: [], reason: plan.reason, proof: null };
  }
  return { endpoint, outcome: 'planned', plan: shown(plan.steps), reason: null, proof: null };
}

function shown(steps: Step[]): FreeResult['plan'] {
  return steps.map(({ action, subject }) => ({ action, subject }));
}

/** Carries one plan out. Every signal goes to exactly the process that was planned, or to nobody. */
export async function carryOut(
  system: System,
  prepared: PreparedFree,
  options: FreeOptions,
  signal: AbortSignal,
): Promise<FreeResult> {
  const { plan, endpoint } = prepared;
  if (plan.kind === 'nothing') return proveAlreadyFree(system, prepared);
  if (plan.kind === 'refuse') return planned(prepared);
  const result = { endpoint, plan: shown(plan.steps) };
  const failed = (reason: string): FreeResult => ({ ...result, outcome: 'failed', reason, proof: null });
  try {
    for (const step of plan.steps) {
      await carryOutStep(system, prepared, step, options.timeoutMs ?? 5000, signal);
    }
  } catch (error) {
    if (error instanceof ReeveError && error.code !== 'aborted') return failed(error.message);
    throw error;
  }
  const proof = await prove(system, prepared, plan, options.watchMs ?? 2000, signal);
  return proof.free ? { ...result, outcome: 'freed', reason: null, proof: proof.words } : failed(proof.words);
}

async function carryOutStep(
  system: System,
  prepared: PreparedFree,
  step: Step,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (step.action === 'stop-unit') return system.managers.stopUnit(step.unit, signal);
  if (step.action === 'stop-container') return system.managers.stopContainer(step.container, signal);
  const before = await ownership(system, prepared, step.processes);
  if (before.stranger) {
    const { name, pid } = before.stranger;
    throw new ReeveError(
      'conflict',
      `the port has changed hands since the plan was made: ${printable(name)} (PID ${pid}) holds it now, and was not signalled`,
    );
  }
  if (!before.held) return;
  const { sent, unheard } = await signalAll(system, step.asked, 'SIGTERM');
  const ending = [...sent, ...step.processes.filter((each) => !step.asked.includes(each))];
  const left = [...(await waitForEnd(system, ending, timeoutMs, signal)), ...unheard];
  // A process that has let the port go and is only finishing its work is left to it.
  if (left.length === 0 || !(await ownership(system, prepared, left)).held) return;
  await signalAll(system, left, 'SIGKILL');
  const immortal = await waitForEnd(system, left, 5000, signal);
  if (immortal.length > 0) {
    const pids = immortal.map(({ pid }) => pid).join(', ');
    throw new ReeveError(
      'timeout',
      `PID ${pids} did not end even after SIGKILL (perhaps stuck in a system call)`,
    );
  }
}

/**
 * Whether one of these still owns the port, or only somebody else: between plan and signal a person may have
 * thought for a while, and a process may have let the port go.
 */
async function ownership(
  system: System,
  { protocol, host, port }: PreparedFree,
  processes: ProcessIdentity[],
): Promise<{ held: boolean; stranger: ProcessFacts | null }> {
  const { sockets } = await lookUpOwners(system, protocol, host, port);
  const holders = sockets.flatMap((socket) => socket.holders);
  const held = holders.some((holder) => processes.some((each) => isSame(each, holder)));
  return { held, stranger: held ? null : (holders[0] ?? null) };
}

async function signalAll(
  system: System,
  processes: ProcessIdentity[],
  name: 'SIGTERM' | 'SIGKILL',
): Promise<{ sent: ProcessIdentity[]; unheard: ProcessIdentity[] }> {
  const sent: ProcessIdentity[] = [];
  const unheard: ProcessIdentity[] = [];
  for (const identity of processes) {
    const outcome = await system.processes.signal(identity, name);
    if (outcome !== 'gone') (outcome === 'sent' ? sent : unheard).push(identity);
  }
  return { sent, unheard };
}

/** Those that have not ended in time. */
async function waitForEnd(
  system: System,
  processes: ProcessIdentity[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProcessIdentity[]> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const ended = await Promise.allSettled(processes.map((each) => system.processes.exited(each, deadline)));
  signal.throwIfAborted();
  return processes.filter((_, i) => ended[i]!.status === 'rejected');
}
