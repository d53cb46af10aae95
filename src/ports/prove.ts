// The proof that a port is free: nobody took it again, and a bind works.
import { formatDuration } from '../core/quantity.ts';
import type { FreeResult } from '../core/records.ts';
import { printable } from '../core/text.ts';
import { sleep } from '../core/time.ts';
import type { System } from '../system/index.ts';
import { downCommand } from './family.ts';
import { ancestorsOf, type HeldSocket, type Lookup, lookUpOwners } from './lookup.ts';
import { type FreePlan, isSame, type PreparedFree } from './plan.ts';

export type Proof = { free: boolean; words: string };

/** The sockets of a process that was terminated may stay in the table for a moment longer than it (seen under Wine). */
const lingerMs = 1000;

/** Watches first, since a supervisor may start the program again; then binds every address that was held. */
export async function prove(
  system: System,
  prepared: PreparedFree,
  plan: Extract<FreePlan, { kind: 'stop' }>,
  watchMs: number,
  signal: AbortSignal,
): Promise<Proof> {
  const { protocol, host, port, lookup } = prepared;
  const begun = performance.now();
  for (let waiting = true; waiting; ) {
    const { sockets, tree } = await lookUpOwners(system, protocol, host, port);
    const passed = performance.now() - begun;
    const nobodys = sockets.every(({ holders }) => holders.length === 0);
    if (sockets.length > 0 && !(nobodys && passed < lingerMs))
      return { free: false, words: await takenAgain(system, sockets, tree, plan, lookup) };
    waiting = sockets.length > 0 || passed < watchMs;
    if (waiting) await sleep(Math.min(100, Math.max(watchMs, 10)), signal);
  }
  const addresses = [...new Map(lookup.sockets.map(({ row }) => [row.address, row])).values()];
  for (const { address, v6only } of addresses) {
    const request = { protocol, address, port, reuse: protocol === 'tcp', v6only: v6only ?? false };
    const attempt = await system.binder.attempt(request);
    if (!attempt.ok && attempt.error.code !== 'EACCES') {
      return {
        free: false,
        words: `its holders are gone, but ${attempt.error.syscall} on ${address} still fails: ${attempt.error.code}`,
      };
    }
    if (!attempt.ok) {
      return {
        free: true,
        words: `its holders are gone and nobody took it for ${formatDuration(watchMs)}; this user may not bind it`,
      };
    }
  }
  const where = addresses.map(({ address }) => address).join(', ');
  const verb = protocol === 'tcp' ? 'bound and listened on' : 'bound';
  return {
    free: true,
    words: `${verb} ${where} port ${port}, after nobody took it for ${formatDuration(watchMs)}`,
  };
}

/** Nobody owns the port: whether it can also be bound is another question, since connections may still use it. */
export async function proveAlreadyFree(system: System, prepared: PreparedFree): Promise<FreeResult> {
  const { endpoint, protocol, host, port } = prepared;
  const { ipv6 } = await system.host.facts();
  const address =
    host === null ? (ipv6.available ? '::' : '0.0.0.0') : host === 'localhost' ? '127.0.0.1' : host;
  const result = { endpoint, plan: [] };
  const attempt = await system.binder.attempt({
    protocol,
    address,
    port,
    reuse: protocol === 'tcp',
    v6only: false,
  });
  if (attempt.ok) {
    return {
      ...result,
      outcome: 'already-free',
      reason: null,
      proof: `bound ${address} port ${port}; no socket owns it`,
    };
  }
  if (attempt.error.code === 'EACCES') {
    return {
      ...result,
      outcome: 'already-free',
      reason: null,
      proof: 'no socket owns it; this user may not bind it',
    };
  }
  const { code, syscall } = attempt.error;
  const reason = `nobody listens on it, so there is nobody to stop, but ${syscall} fails: ${code} (reeve why ${endpoint.replace('tcp:', '')} tells the reason)`;
  return { ...result, outcome: 'failed', reason, proof: null };
}

/** Names who started it again: a parent that lived on, or the unit's manager. */
async function takenAgain(
  system: System,
  sockets: HeldSocket[],
  tree: Lookup['tree'],
  plan: Extract<FreePlan, { kind: 'stop' }>,
  before: Lookup,
): Promise<string> {
  const holder = sockets.flatMap(({ holders }) => holders)[0];
  if (!holder) return 'it was taken again at once, by a process that cannot be shown';
  const again = `it was taken again by ${printable(holder.name)} (PID ${holder.pid})`;
  if (plan.holders.some((each) => isSame(each, holder))) {
    return `${printable(holder.name)} (PID ${holder.pid}) still holds it`;
  }
  if (holder.unit?.endsWith('.service')) {
    return `${again}, which the systemd unit ${holder.unit} starts: stop that (systemctl stop ${holder.unit})`;
  }
  const oldParents = new Set(
    plan.holders.flatMap(({ pid }) => ancestorsOf(pid, before.tree).map((node) => node.pid)),
  );
  const line = [holder, ...ancestorsOf(holder.pid, tree)];
  const parent = line.find(({ pid }) => pid !== 1 && oldParents.has(pid));
  if (!parent) return `${again}, which was started by something else`;
  const name = printable(parent.name);
  const facts = await system.processes.facts(parent.pid);
  const down = facts && downCommand(facts);
  if (down)
    return `the reeve daemon (PID ${parent.pid}) keeps it for a service: take that out of the configuration, or stop all (${down})`;
  if (parent === holder)
    return `its parent ${name} (PID ${parent.pid}) has it now: stop ${name} instead (kill ${parent.pid})`;
  return `${again}, which its parent ${name} (PID ${parent.pid}) starts anew: stop ${name} instead (kill ${parent.pid})`;
}
