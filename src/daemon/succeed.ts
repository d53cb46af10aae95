// An upgrade as the old daemon carries it out: a new process is started, and takes over once it is ready.
import { systemClock } from '../core/context.ts';
import { errorMessage, ReeveError } from '../core/errors.ts';
import type { System } from '../system/index.ts';
import type { Api } from './api.ts';
import type { UpgradeRequest, UpgradeResult } from './orders.ts';
import type { Rooms } from './rooms.ts';
import type { ChangingCompany, Estate } from './succession/index.ts';
import { raiseHeir } from './succession/index.ts';

export interface Succession {
  /** What starts this daemon anew; undefined: nobody knows. */
  command: readonly string[] | undefined;
  env: NodeJS.ProcessEnv;
  system: Pick<System, 'platform'>;
  rooms: Pick<Rooms, 'listeners' | 'services'>;
  company: ChangingCompany;
  /** The control API. */
  api: Pick<Api, 'descriptor' | 'cede'> | null;
  estate: Pick<Estate, 'pid' | 'version' | 'stateFolder' | 'control'>;
  /** The new one is ready, and reads what this one has kept. */
  beforeBegin(): void;
  /** Takes back what the new one may have changed before it failed. */
  restore(): Promise<void>;
  tell(message: string, detail: Record<string, unknown>): void;
}

type Request = UpgradeRequest & { deadlineMs: number };

const usualTimeout = 60_000;

/** @throws ReeveError where the new one did not take over: it is gone then, and nothing has changed. */
export async function succeed(of: Succession, request: Request, signal: AbortSignal): Promise<UpgradeResult> {
  const began = systemClock.monotonic();
  const { listeners } = of.rooms;
  const { pid, version } = of.estate;
  const { deadlineMs } = request;
  of.company.joined();
  try {
    of.tell('upgrade: starting another process in place of this one', {});
    const after = await handOver(of, request, signal);
    listeners.cede();
    of.api?.cede();
    const ms = Math.round(systemClock.monotonic() - began);
    const connections = listeners.status().reduce((sum, each) => sum + each.connections.active, 0);
    of.tell(`PID ${after.pid} has taken over after ${ms} ms`, { ...after, ms, connections, deadlineMs });
    const { control } = after;
    return { before: { pid, version }, after: { pid: after.pid }, control, ms, connections, deadlineMs };
  } catch (error) {
    of.company.left();
    await of.restore();
    of.tell(`upgrade refused, nothing has changed: ${errorMessage(error)}`, { failing: true });
    throw error;
  }
}

async function handOver(
  of: Succession,
  { timeoutMs = usualTimeout }: UpgradeRequest,
  signal: AbortSignal,
): Promise<{ pid: number; control: string }> {
  const { estate, rooms } = of;
  const { command, controlDescriptor } = mayBeSucceeded(of);
  const { sockets, descriptors } = rooms.listeners.give();
  const up = rooms.services.status().filter(({ instances }) => instances.some(({ state }) => state === 'up'));
  const heir = await raiseHeir(
    {
      ...{ command, env: of.env, within: timeoutMs },
      estate: { ...estate, sockets, up: up.map(({ name }) => name) },
      descriptors: [...descriptors, controlDescriptor],
    },
    signal,
  );
  try {
    of.beforeBegin();
    return { pid: heir.pid, control: await heir.begin() };
  } catch (error) {
    await heir.end();
    throw error;
  }
}

/** @throws ReeveError `unsupported` that says why not. */
function mayBeSucceeded({ system, api, command, estate }: Succession) {
  const controlDescriptor = api?.descriptor() ?? null;
  if (system.platform === 'win32' || controlDescriptor === null) {
    throw new ReeveError(
      'unsupported',
      'reeve upgrade needs listening sockets that a process can hand to another, which Node does not do on Windows',
      {
        hint: 'reeve down and reeve up change the version there, with a gap of some seconds',
      },
    );
  }
  if (!command) {
    throw new ReeveError('unsupported', 'this daemon does not know how it was started', {
      hint: 'One that reeve up has started can be upgraded',
    });
  }
  if (estate.pid === 1) {
    throw new ReeveError('unsupported', 'reeve is PID 1 here, and the container would end with it', {
      hint: 'Run it below an init (docker run --init), or start a new container',
    });
  }
  return { command, controlDescriptor };
}
