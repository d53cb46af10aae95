// The System of Windows, put together from its parts.
import { ReeveError } from '../../core/errors.ts';
import type { System } from '../system.ts';
import { createBinder } from './binder.ts';
import { createContainment } from './containment.ts';
import { createElevation } from './elevation.ts';
import { outputEncoding } from './encoding.ts';
import { createHost } from './host.ts';
import { createHttpQueues } from './http-sys.ts';
import { createManagers } from './managers.ts';
import { createPrivacy } from './privacy.ts';
import { createProcesses, listProcesses } from './processes.ts';
import { startable } from './scripts.ts';
import { createServiceControl } from './service-control.ts';
import { createRunningServices } from './services.ts';
import { createSockets } from './sockets.ts';

export function createWindowsSystem(): System {
  const now = () => performance.now();
  const services = createRunningServices(now);
  const processes = createProcesses(services, now);
  return {
    platform: 'win32',
    sockets: createSockets(services, createHttpQueues(now)),
    processes,
    containment: createContainment(listProcesses),
    binder: createBinder(),
    scanner: {
      connect: () => null,
      syn: () => {
        throw new ReeveError('unsupported', 'cannot send packets of its own making on Windows', {
          hint: 'Use --method connect',
        });
      },
    },
    host: createHost(now),
    managers: createManagers(),
    elevation: createElevation(),
    serviceControl: createServiceControl(),
    privacy: createPrivacy(),
    startable: (command) => startable(command),
    outputEncoding,
  };
}
