// The System of macOS, put together from its parts. Tested over bytes and under Linux only: docs/macos.md.
import { ReeveError } from '../../core/errors.ts';
import { type MacCalls, macCalls } from '../../ffi/index.ts';
import { unixElevation } from '../linux/elevation.ts';
import { createManagers } from '../linux/managers.ts';
import { createUserNames } from '../linux/users.ts';
import type { Managers } from '../managers.ts';
import type { System } from '../system.ts';
import { createAsk } from './ask.ts';
import { createBinder } from './binder.ts';
import { createContainment } from './containment.ts';
import { createHost } from './host.ts';
import { runLsof } from './lsof.ts';
import { createProcesses } from './processes.ts';
import { scanSockets } from './scan.ts';
import { createSockets, type SocketSource } from './sockets.ts';

export interface MacosOptions {
  calls?: MacCalls;
  /** Default: macOS's own. */
  lsof?: string;
  searchPath?: string;
}

export function createMacosSystem(options: MacosOptions = {}): System {
  const { calls = macCalls, lsof = '/usr/sbin/lsof', searchPath = process.env.PATH ?? '' } = options;
  const ask = createAsk(calls);
  const userName = createUserNames();
  const processes = createProcesses(ask, userName);
  return {
    platform: 'darwin',
    sockets: createSockets([libproc(calls, () => ask.processes().map(({ pid }) => pid)), byLsof(lsof)]),
    processes,
    containment: createContainment(ask),
    binder: createBinder(calls),
    scanner: {
      connect: () => null,
      syn: () => {
        throw new ReeveError('unsupported', 'cannot send packets of its own making on macOS', {
          hint: 'Use --method connect',
        });
      },
    },
    host: createHost(ask, calls, userName),
    managers: managers(searchPath),
    elevation: unixElevation,
  };
}

function libproc(calls: MacCalls, pids: () => number[]): SocketSource {
  return { name: 'libproc', scan: () => scanSockets(calls, pids()) };
}

/** It does not say whom it could not look into: without root, that is everybody else. */
export function byLsof(file: string): SocketSource {
  const unreadable = process.geteuid?.() === 0 ? 0 : 1;
  return { name: 'lsof', scan: async () => ({ held: await runLsof(file), unreadable }) };
}

/** Containers as anywhere; launchd's jobs are not told by process, so there is nothing to stop by name. */
function managers(searchPath: string): Managers {
  const unix = createManagers(searchPath);
  return {
    ...unix,
    async stopUnit(unit) {
      unix.stopUnitCommand(unit);
      throw new ReeveError(
        'unsupported',
        `cannot stop the unit ${unit} on macOS: launchd has none of that name`,
        {
          hint: 'Stop a job of launchd with launchctl bootout',
        },
      );
    },
  };
}
