// free's plan: whom to stop, in which way, or why not. Pure: facts in, plan out.
import type { Protocol } from '../core/endpoint.ts';
import { printable } from '../core/text.ts';
import type { ProcessFacts, ProcessIdentity, ProcessNode } from '../system/index.ts';
import { downCommand, eldest } from './family.ts';
import { ancestorsOf, type HeldSocket, type Lookup } from './lookup.ts';

export type Step =
  | { action: 'stop-unit'; unit: string; subject: string }
  | { action: 'stop-container'; container: string; subject: string }
  /** Those that are `asked` get SIGTERM; all of them get SIGKILL where that is not enough. */
  | { action: 'terminate'; processes: ProcessIdentity[]; asked: ProcessIdentity[]; subject: string };

export type RefusalKind = 'protected' | 'hidden' | 'kernel' | 'not-listening' | 'proxy';

export type FreePlan =
  | { kind: 'nothing' }
  | { kind: 'refuse'; why: RefusalKind; reason: string }
  | { kind: 'stop'; steps: Step[]; holders: ProcessFacts[] };

/** What would be done about one port, to show before anything is done. */
export interface PreparedFree {
  endpoint: string;
  protocol: Protocol;
  /** Null: every address. */
  host: string | null;
  port: number;
  plan: FreePlan;
  lookup: Lookup;
}

export function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.start === b.start;
}

export interface PlanFacts {
  /** Every socket that owns the port (listen, unconnected, bound). */
  sockets: HeldSocket[];
  tree: ReadonlyMap<number, ProcessNode>;
  /** The process that asks, which is spared with all its ancestors. */
  self: ProcessFacts | null;
  selfPid: number;
  /** Signal processes rather than stop their unit or container, and end also what is bound without listening. */
  force: boolean;
}

export function planFree(facts: PlanFacts): FreePlan {
  const { sockets, force } = facts;
  if (sockets.length === 0) return { kind: 'nothing' };
  const refusal = refuseHidden(sockets) ?? refuseBound(sockets, force);
  if (refusal) return refusal;
  const holders = [
    ...new Map(sockets.flatMap((socket) => socket.holders).map((each) => [each.pid, each])).values(),
  ];
  const spared = new Set([facts.selfPid, ...ancestorsOf(facts.selfPid, facts.tree).map(({ pid }) => pid)]);
  for (const holder of holders) {
    const refused = refuseHolder(holder, spared, facts.selfPid) ?? refuseShared(holder, force);
    if (refused) return refused;
  }
  return { kind: 'stop', holders, steps: stepsFor(holders, facts, spared) };
}

function refuse(why: RefusalKind, reason: string): FreePlan {
  return { kind: 'refuse', why, reason };
}

function refuseHidden(sockets: HeldSocket[]): FreePlan | null {
  const urls = sockets.flatMap((socket) => socket.urls);
  if (urls.length > 0) {
    return refuse(
      'kernel',
      `http.sys in Windows itself has it, for ${urls.join(', ')}: stop the program behind that`,
    );
  }
  const hidden = sockets.find((socket) => socket.hidden !== null)?.hidden;
  if (hidden)
    return refuse(hidden.needs ? 'hidden' : 'kernel', `its holder cannot be shown: ${hidden.reason}`);
  if (sockets.some(({ row, holders }) => row.id === null || holders.length === 0)) {
    return refuse('kernel', 'the socket belongs to the kernel, not to a process');
  }
  return null;
}

function refuseBound(sockets: HeldSocket[], force: boolean): FreePlan | null {
  if (force || sockets.some(({ row }) => row.state !== 'bound')) return null;
  const holder = sockets[0]!.holders[0]!;
  const who = `${printable(holder.name)} (PID ${holder.pid})`;
  return refuse(
    'not-listening',
    `${who} has bound the port without listening on it, perhaps to keep it for another program; --force ends it`,
  );
}

/** PID 0, 1, 2 and 4: idle, init, Linux's kthreadd, Windows' System. */
const systemPids = new Set([0, 1, 2, 4]);

/** Windows stops with a blue screen, or nobody can log in any more, when one of these ends. */
const criticalPrograms = new Set([
  ...['smss.exe', 'csrss.exe', 'wininit.exe', 'winlogon.exe', 'services.exe', 'lsass.exe', 'lsm.exe'],
  ...['registry', 'memory compression', 'secure system'],
]);

/** Hold published ports on behalf of containers; their unit is the whole container runtime. */
const forwarders = new Set([
  'docker-proxy',
  'dockerd',
  'com.docker.backend',
  'rootlessport',
  'rootlesskit',
  'slirp4netns',
  'pasta',
  'conmon',
]);

function refuseHolder(holder: ProcessFacts, spared: ReadonlySet<number>, selfPid: number): FreePlan | null {
  const who = `${printable(holder.name)} (PID ${holder.pid})`;
  if (holder.pid === selfPid) return refuse('protected', 'reeve itself holds the port');
  if (spared.has(holder.pid))
    return refuse('protected', `${who} is a parent of this reeve: ending it would end reeve too`);
  if (holder.pid === 1) {
    return refuse(
      'protected',
      `${who} is the first process, which holds sockets for services it starts on demand; see systemctl list-sockets`,
    );
  }
  if (systemPids.has(holder.pid)) return refuse('protected', `${who} is the system itself`);
  if (criticalPrograms.has(holder.name.toLowerCase())) {
    return refuse('protected', `${who} is a part of Windows that must not end`);
  }
  if (forwarders.has(holder.name)) {
    return refuse(
      'proxy',
      `${who} holds it for a container: stop that instead (docker ps --filter publish=PORT, then docker stop)`,
    );
  }
  return null;
}

/** A svchost runs many services, and to end it ends them all. */
function refuseShared({ pid, name, services }: ProcessFacts, force: boolean): FreePlan | null {
  if (force || services.length < 2) return null;
  return refuse(
    'protected',
    `${printable(name)} (PID ${pid}) runs the services ${services.map(printable).join(', ')}, and which of them has the port is not known: stop that one (net stop NAME)`,
  );
}

function stepsFor(
  holders: ProcessFacts[],
  { tree, self, force }: PlanFacts,
  spared: ReadonlySet<number>,
): Step[] {
  const steps: Step[] = [];
  const toSignal: ProcessFacts[] = [];
  for (const holder of holders) {
    const who = `${printable(holder.name)} (PID ${holder.pid})`;
    if (!force && holder.container && holder.container !== self?.container) {
      const container = holder.container;
      const subject = `container ${container.slice(0, 12)}, in which ${who} runs`;
      if (!steps.some((step) => step.action === 'stop-container' && step.container === container)) {
        steps.push({ action: 'stop-container', container, subject });
      }
    } else if (!force && holder.services.length === 1 && !self?.services.includes(holder.services[0]!)) {
      const unit = holder.services[0]!;
      if (!steps.some((step) => step.action === 'stop-unit' && step.unit === unit)) {
        steps.push({ action: 'stop-unit', unit, subject: `Windows service ${unit}, in which ${who} runs` });
      }
    } else if (!force && isOwnService(holder.unit, self)) {
      const unit = holder.unit!;
      if (!steps.some((step) => step.action === 'stop-unit' && step.unit === unit)) {
        steps.push({ action: 'stop-unit', unit, subject: `systemd unit ${unit}, in which ${who} runs` });
      }
    } else {
      toSignal.push(holder);
    }
  }
  if (toSignal.length > 0) steps.push(terminate(toSignal, tree, spared));
  return steps;
}

/** A unit that would restart its process; not a login session's scope, and not the unit that reeve runs in. */
function isOwnService(unit: string | null, self: ProcessFacts | null): boolean {
  if (unit === null || unit === self?.unit) return false;
  return unit.endsWith('.service') && !/^user@\d+\.service$/.test(unit);
}

/** Windows' host of a console: a child of the first program in it, which ends with the last one. */
function isConsole({ name }: ProcessNode): boolean {
  return name.toLowerCase() === 'conhost.exe';
}

/** The holders and all that they started, parents before children, so that a parent learns first and starts none anew. */
function terminate(
  holders: ProcessFacts[],
  tree: ReadonlyMap<number, ProcessNode>,
  spared: ReadonlySet<number>,
): Step {
  const roots = new Set(holders.map(({ pid }) => pid));
  const family = [...tree.values()]
    .map((node) => ({ node, line: ancestorsOf(node.pid, tree).map(({ pid }) => pid) }))
    .filter(({ node, line }) => roots.has(node.pid) || line.some((pid) => roots.has(pid)))
    .filter(({ node }) => !spared.has(node.pid) && !systemPids.has(node.pid) && !isConsole(node))
    .sort((a, b) => a.line.length - b.line.length || a.node.pid - b.node.pid);
  const processes: ProcessIdentity[] = family.map(({ node }) => ({ pid: node.pid, start: node.start }));
  // A holder that has only just been found may be missing from the tree.
  for (const { pid, start } of holders) {
    if (!processes.some((each) => each.pid === pid)) processes.unshift({ pid, start });
  }
  // The daemon ends what it runs in the right order, and starts anew whatever another ends.
  const daemons = new Map(holders.map((each) => [each.pid, downCommand(each)]));
  const below = (pid: number) => ancestorsOf(pid, tree).some((parent) => daemons.get(parent.pid));
  const heads = eldest(holders, tree);
  const names = heads.map(
    ({ pid, name }) => `${daemons.get(pid) ? 'the reeve daemon, ' : ''}${printable(name)} (PID ${pid})`,
  );
  const children = processes.length - heads.length;
  const subject = `${names.slice(0, 4).join(', ')}${names.length > 4 ? ` and ${names.length - 4} more` : ''}`;
  const down = heads.length === 1 && daemons.get(heads[0]!.pid);
  return {
    action: 'terminate',
    processes,
    asked: processes.filter(({ pid }) => !below(pid)),
    subject: `${subject}${children > 0 ? `, with ${children} started by it` : ''}${down ? `; ${down} does the same` : ''}`,
  };
}
