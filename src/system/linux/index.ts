// The System of Linux, put together from its parts.
import { release } from 'node:os';
import type { System } from '../system.ts';
import { createBinder } from './binder.ts';
import { createContainment } from './containment.ts';
import { unixElevation } from './elevation.ts';
import { createHost } from './host.ts';
import { createManagers } from './managers.ts';
import { memoryKills } from './memory-kills.ts';
import { createProcesses } from './processes.ts';
import { createScanner } from './scanner/index.ts';
import { socketsOf, systemd } from './service-manager.ts';
import { createSockets, type HolderSource, type SocketSource } from './sockets.ts';
import { createUserNames } from './users.ts';

export interface LinuxOptions {
  /** Default: `auto`. */
  socketSource?: SocketSource;
  /** Default: `auto`. */
  holderSource?: HolderSource;
  /** Signals by PID with a check just before, as on kernels before 5.3. */
  noPidfd?: boolean;
  /** Where systemctl, docker and podman are looked for. Default: the environment's PATH. */
  searchPath?: string;
}

export function createLinuxSystem(options: LinuxOptions = {}): System {
  const userName = createUserNames();
  const processes = createProcesses(userName, !options.noPidfd);
  return {
    platform: 'linux',
    sockets: createSockets(options.socketSource ?? 'auto', release(), options.holderSource ?? 'auto'),
    processes,
    containment: createContainment(processes),
    binder: createBinder(),
    scanner: createScanner(),
    host: createHost(userName),
    managers: createManagers(options.searchPath ?? process.env.PATH ?? ''),
    elevation: unixElevation,
    memoryKills,
    serviceManager: systemd,
    inheritedSockets: socketsOf,
  };
}
