// Processes of Windows: one call lists them all, a handle tells the rest. A start is the creation time, to 100 ns.
import { addressOf, nt, ntdll, win } from '../../ffi/index.ts';
import type { Processes, ProcessFacts, ProcessNode } from '../system.ts';
import { userOf } from './accounts.ts';
import { splitCommandLine } from './command-line.ts';
import { createInterrupt } from './console.ts';
import {
  commandLine,
  creationTime,
  hasEnded,
  imagePath,
  isProcessId,
  parentOf,
  processMemory,
  withProcess,
} from './handles.ts';
import { decodeProcessList, fileTime, type ListedProcess } from './process-list.ts';
import type { RunningServices } from './services.ts';
import { processExited, signalProcess } from './signals.ts';

const { PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_QUERY_INFORMATION, PROCESS_VM_READ, SYNCHRONIZE } = win;

export function createProcesses(services: RunningServices, now: () => number): Processes {
  const interrupt = createInterrupt(listProcesses, now);
  return {
    async facts(pid) {
      const node = nodeOf(pid);
      return node && describe(node, services);
    },
    async list() {
      return listProcesses();
    },
    async identify(pid) {
      const created = runningSince(pid);
      return created === null ? null : { pid, start: String(created) };
    },
    signal: (identity, signal) => signalProcess(identity, signal, interrupt),
    exited: processExited,
  };
}

/** Every process but the idle one. */
export function listProcesses(): ProcessNode[] {
  const listed = readList();
  const created = new Map(listed.map((one) => [one.pid, one.created]));
  return listed.filter(({ pid }) => pid !== 0).map((one) => toNode(one, created.get(one.parent) ?? null));
}

/** A parent that is younger than its child only has the PID of the real one, which has ended. */
function toNode({ pid, parent, created, name }: ListedProcess, parentCreated: bigint | null): ProcessNode {
  const real = parent !== 0 && parentCreated !== null && parentCreated <= created;
  return { pid, parent: real ? parent : null, start: String(created), name };
}

function nodeOf(pid: number): ProcessNode | null {
  if (!isProcessId(pid)) return null;
  const known = withProcess(pid, PROCESS_QUERY_LIMITED_INFORMATION, (process) => {
    const created = creationTime(process);
    const image = imagePath(process);
    const parent = parentOf(process);
    if (created === null || image === null || parent === null) return null;
    if (runningSince(pid) === null) return null;
    const name = image.slice(image.lastIndexOf('\\') + 1);
    return toNode({ pid, parent, created, name }, runningSince(parent));
  });
  // Not every process may be opened (System, the registry); all are in the list.
  return known ?? listProcesses().find((node) => node.pid === pid) ?? null;
}

/** Null where it has ended, or does not let itself be asked. */
export function runningSince(pid: number): bigint | null {
  const access = PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
  const created = withProcess(pid, access, (process) =>
    hasEnded(process) ? 'ended' : creationTime(process),
  );
  if (created === 'ended') return null;
  return created ?? readList().find((one) => one.pid === pid)?.created ?? null;
}

function describe(node: ProcessNode, services: RunningServices): ProcessFacts {
  const { pid } = node;
  const open = <Result>(access: number, use: (process: number) => Result) => withProcess(pid, access, use);
  const memory = open(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, processMemory);
  const line = open(PROCESS_QUERY_LIMITED_INFORMATION, commandLine) ?? memory?.command ?? null;
  const image = open(PROCESS_QUERY_LIMITED_INFORMATION, imagePath);
  return {
    ...node,
    command: line ? splitCommandLine(line) : image ? [image] : [],
    user: open(PROCESS_QUERY_LIMITED_INFORMATION, userOf) ?? open(PROCESS_QUERY_INFORMATION, userOf),
    uid: null,
    cwd: memory?.cwd || null,
    startedAt: fileTime(BigInt(node.start)),
    unit: null,
    services: servicesOf(node, services),
    container: null,
  };
}

/** Start programs of others, who have nothing to do with what stopping the service would end. */
const hosts = new Set(['svchost.exe', 'sshd.exe']);

/** Also that of its parent: NSSM, WinSW and reeve run a program as a service, and would start it anew. */
function servicesOf({ pid, parent }: ProcessNode, services: RunningServices): string[] {
  const own = services.inProcess(pid);
  if (own.length > 0 || parent === null) return own;
  const above = services.inProcess(parent);
  const image = above.length === 1 && withProcess(parent, PROCESS_QUERY_LIMITED_INFORMATION, imagePath);
  return image && !hosts.has(image.slice(image.lastIndexOf('\\') + 1).toLowerCase()) ? above : [];
}

/** Processes may start between a call that tells the size and the next one. */
function readList(): ListedProcess[] {
  const used = new Uint8Array(4);
  for (let size = 262_144; size <= 1 << 26; size *= 2) {
    const bytes = new Uint8Array(size);
    const status = ntdll.NtQuerySystemInformation(nt.SystemProcessInformation, bytes, size, used);
    if (status === 0) return decodeProcessList(bytes, addressOf(bytes));
    if (status !== nt.STATUS_INFO_LENGTH_MISMATCH) break;
  }
  return [];
}
