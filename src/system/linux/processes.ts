// Processes of Linux, from /proc; read at once, since each file is made in memory when it is opened.
import { readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from '../../core/errors.ts';
import { libc } from '../../ffi/index.ts';
import type { Processes, ProcessFacts, ProcessIdentity, ProcessNode } from '../system.ts';
import { readMembership } from './cgroup.ts';
import { isProcessId, listPids } from './pids.ts';
import {
  hasEnded,
  isNameDoubtful,
  type ProcessStat,
  parseBootTime,
  parseCommandLine,
  parseStat,
  parseUid,
  programName,
} from './proc.ts';
import { processExited, type Signalling, signalProcess } from './signals.ts';
import { monotonicMs } from './turns.ts';
import { usageOfTree } from './usage.ts';
import type { UserName } from './users.ts';

const SC_CLK_TCK = 2;
/** /proc/stat is slow to read on machines with many cores, and the clock is rarely set. */
const bootTimeKeptMs = 1000;

export function createProcesses(userName: UserName, usePidfd: boolean): Processes {
  // Ticks alone may come again after a restart of the machine, and identities are kept on disk.
  let boot: string | undefined;
  const bootTime = createBootTime();
  const startOf = (stat: ProcessStat) => {
    boot ??= (read('/proc/sys/kernel/random/boot_id') ?? '').slice(0, 8);
    return `${stat.startTicks}@${boot}`;
  };
  const identityOf = (stat: ProcessStat) => ({ pid: stat.pid, start: startOf(stat) });

  const isAlive = (identity: ProcessIdentity) => {
    const stat = statOf(identity.pid);
    return stat !== null && startOf(stat) === identity.start;
  };
  const describe = async (pid: number) => {
    const known = await facts(pid);
    return known ? `${known.name} (PID ${pid}) of user ${known.user ?? 'unknown'}` : `PID ${pid}`;
  };
  const signalling: Signalling = { isAlive, usePidfd, describe };

  async function facts(pid: number): Promise<ProcessFacts | null> {
    const stat = statOf(pid);
    if (!stat) return null;
    const folder = `/proc/${pid}`;
    const command = parseCommandLine(read(`${folder}/cmdline`) ?? '');
    const uid = parseUid(read(`${folder}/status`) ?? '');
    return {
      ...identityOf(stat),
      parent: parentOf(stat),
      name: programName(stat.name, command),
      command,
      user: uid === null ? null : await userName(uid),
      uid,
      cwd: readLink(`${folder}/cwd`),
      startedAt: startTime(stat, bootTime()),
      services: [],
      ...readMembership(read(`${folder}/cgroup`) ?? ''),
    };
  }

  return {
    facts,
    async list() {
      const nodes = [];
      for (const pid of listPids()) {
        const stat = statOf(pid);
        if (stat) nodes.push({ ...identityOf(stat), parent: parentOf(stat), name: nodeName(stat) });
      }
      return nodes;
    },
    async lines(pids) {
      const nodes = new Map<number, ProcessNode>();
      for (const first of pids) {
        for (let pid: number | null = first; pid !== null && !nodes.has(pid); pid = nodes.get(pid)!.parent) {
          const stat = statOf(pid);
          if (!stat) break;
          nodes.set(pid, { ...identityOf(stat), parent: parentOf(stat), name: nodeName(stat) });
        }
      }
      return [...nodes.values()];
    },
    async identify(pid) {
      const stat = statOf(pid);
      return stat ? identityOf(stat) : null;
    },
    signal: (identity, signal) => signalProcess(identity, signal, signalling),
    exited: (identity, signal) => processExited(identity, signalling, signal),
    usage: async (pid) => usageOfTree(pid),
  };
}

/** Null where there is no such process, or it has ended and only waits to be reaped. */
function statOf(pid: number): ProcessStat | null {
  if (!isProcessId(pid)) return null;
  const text = read(`/proc/${pid}/stat`);
  const stat = text === null ? null : parseStat(text);
  return stat && !hasEnded(stat) ? stat : null;
}

/** 0 is the kernel. */
function parentOf(stat: ProcessStat): number | null {
  return stat.parent === 0 ? null : stat.parent;
}

/** The command line is only read where the name alone does not tell. */
function nodeName(stat: ProcessStat): string {
  return isNameDoubtful(stat.name)
    ? programName(stat.name, parseCommandLine(read(`/proc/${stat.pid}/cmdline`) ?? ''))
    : stat.name;
}

function startTime(stat: ProcessStat, boot: number | null): Date | null {
  if (boot === null) return null;
  const seconds = Number(stat.startTicks) / libc.sysconf(SC_CLK_TCK);
  return new Date((boot + seconds) * 1000);
}

/** In seconds since the epoch. */
function createBootTime(): () => number | null {
  let value: number | null = null;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (monotonicMs() - readAt > bootTimeKeptMs) {
      value = parseBootTime(read('/proc/stat') ?? '');
      readAt = monotonicMs();
    }
    return value;
  };
}

/** Null where it ended, or may not be read. */
function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isExpected(error)) return null;
    throw error;
  }
}

function readLink(file: string): string | null {
  try {
    return readlinkSync(file);
  } catch (error) {
    if (isExpected(error)) return null;
    throw error;
  }
}

function isExpected(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL'].includes(errorCode(error) ?? '');
}
