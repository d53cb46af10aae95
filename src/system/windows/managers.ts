// Stops a Windows service through the service control manager; containers through docker's own program.
import { execFile } from 'node:child_process';
import { OsError, ReeveError } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import { abortError, sleep } from '../../core/time.ts';
import { advapi32, service, succeeded } from '../../ffi/index.ts';
import type { Managers } from '../managers.ts';

/** CreateServiceW: 256 characters, no slashes; more is refused here, since it is shown in a command to copy. */
const serviceName = /^[A-Za-z0-9_.$-][A-Za-z0-9_.$ -]{0,255}$/;
const containerName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/;
const stopMs = 60_000;
const pollMs = 100;

export function createManagers(): Managers {
  return {
    async stopUnit(unit, signal) {
      checkService(unit);
      await stopService(unit, signal);
    },
    stopContainer: async (id, signal) => stopContainer(checkContainer(id), signal),
    stopUnitCommand: (unit) => `net stop "${checkService(unit)}"`,
    stopContainerCommand: (id) => `docker stop ${checkContainer(id)}`,
  };
}

function checkService(name: string): string {
  if (serviceName.test(name) && !name.startsWith('-')) return name;
  throw new ReeveError('usage', `'${printable(name)}' is not the name of a Windows service, such as W3SVC`);
}

function checkContainer(id: string): string {
  if (containerName.test(id)) return id;
  throw new ReeveError('usage', `'${printable(id)}' is not the name or the id of a container`);
}

async function stopService(name: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw abortError(signal);
  const opened: number[] = [];
  try {
    const manager = succeeded(
      'OpenSCManager',
      advapi32.OpenSCManagerW(null, null, service.SC_MANAGER_CONNECT),
    );
    opened.push(manager);
    const access = service.SERVICE_STOP | service.SERVICE_QUERY_STATUS;
    const handle = succeeded('OpenService', advapi32.OpenServiceW(manager, name, access));
    opened.push(handle);
    // SERVICE_STATUS: seven DWORDs, the state is the second.
    const status = new Uint8Array(28);
    succeeded('ControlService', advapi32.ControlService(handle, service.SERVICE_CONTROL_STOP, status));
    await untilStopped(handle, name, signal);
  } catch (error) {
    throw error instanceof OsError ? refusal(name, error) : error;
  } finally {
    for (const handle of opened.reverse()) advapi32.CloseServiceHandle(handle);
  }
}

async function untilStopped(handle: number, name: string, signal: AbortSignal): Promise<void> {
  const end = performance.now() + stopMs;
  const status = new Uint8Array(28);
  while (performance.now() < end) {
    succeeded('QueryServiceStatus', advapi32.QueryServiceStatus(handle, status));
    if (new DataView(status.buffer).getUint32(4, true) === service.SERVICE_STOPPED) return;
    await sleep(pollMs, signal);
  }
  throw new ReeveError(
    'timeout',
    `cannot stop the service ${name}: it is still stopping after ${stopMs / 1000} s`,
  );
}

function refusal(name: string, error: OsError): ReeveError {
  const cannot = `cannot stop the service ${name}`;
  if (error.code === 'ERROR_ACCESS_DENIED') {
    return new ReeveError('privilege', `${cannot}: access is denied`, {
      hint: 'Run it in a terminal opened as administrator, or with reeve --elevate before the command',
      cause: error,
    });
  }
  const words =
    error.code === 'ERROR_DEPENDENT_SERVICES_RUNNING'
      ? `others depend on it; stop them first (sc enumdepend "${name}")`
      : error.code === 'ERROR_SERVICE_DOES_NOT_EXIST'
        ? 'there is no such service'
        : error.message;
  return new ReeveError('conflict', `${cannot}: ${words}`, { cause: error });
}

function stopContainer(id: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      'docker',
      ['stop', '--', id],
      { signal, windowsHide: true, timeout: 100_000 },
      (error, _, stderr) => {
        if (!error) resolve();
        else if (signal.aborted) reject(abortError(signal));
        else {
          const words = printable(stderr || error.message).slice(0, 500);
          reject(new ReeveError('conflict', `cannot stop the container ${id}: ${words}`, { cause: error }));
        }
      },
    );
  });
}
