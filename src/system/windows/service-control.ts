// Windows' service control manager, asked directly: numbers tell what failed, where sc.exe has words in any language.
import { OsError, ReeveError } from '../../core/errors.ts';
import { sleep } from '../../core/time.ts';
import {
  addressOf,
  advapi32,
  kernel32,
  scm,
  serviceCalls,
  succeeded,
  wideText,
  wideTextAt,
  win32Error,
} from '../../ffi/index.ts';
import type { ServiceControl, ServiceSpec, ServiceState } from '../service-manager.ts';
import { hostService } from './service-host.ts';
import { settingsOf } from './service-settings.ts';

/** Longer than a service's own start and stop, whose waits grow while they get on. */
const settleWithin = 120_000;
const pollEvery = 100;
const ERROR_INVALID_LEVEL = 124;

export function createServiceControl(): ServiceControl {
  return {
    host: hostService,
    install: (spec) => told('install', spec.name, () => install(spec)),
    remove: (name) =>
      told('remove', name, () =>
        withService(name, scm.SERVICE_ALL_ACCESS, (service) => {
          succeeded('DeleteService', serviceCalls.DeleteService(service));
        }),
      ),
    setEventSource: (name, wanted) => told('name in the event log', name, () => setEventSource(name, wanted)),
    report,
    async start(name, signal) {
      const access = scm.SERVICE_START | scm.SERVICE_QUERY_STATUS;
      told('start', name, () =>
        withService(name, access, (service) => {
          succeeded('StartService', serviceCalls.StartServiceW(service, 0, null));
        }),
      );
      const { state, exitCode } = await settled(name, 'starting', signal);
      if (state === 'running') return;
      throw new ReeveError('conflict', `the service ${name} did not start: it ended with ${exitCode}`, {
        hint: 'Its log tells why: see reeve service status',
      });
    },
    async stop(name, signal) {
      control(name, 'stop', scm.CONTROL_STOP, scm.SERVICE_STOP | scm.SERVICE_QUERY_STATUS);
      await settled(name, 'stopping', signal);
    },
    reload: (name) => control(name, 'reload', scm.CONTROL_PARAMCHANGE, scm.SERVICE_PAUSE_CONTINUE),
    state: (name) => told('ask for', name, () => stateOf(name)),
  };
}

function install(spec: ServiceSpec): ReturnType<ServiceControl['install']> {
  const { name, displayName, binaryPath, account } = spec;
  const start = spec.start === 'manual' ? scm.SERVICE_DEMAND_START : scm.SERVICE_AUTO_START;
  const [type, normal] = [scm.SERVICE_WIN32_OWN_PROCESS, scm.SERVICE_ERROR_NORMAL];
  return withManager(scm.SC_MANAGER_CONNECT | scm.SC_MANAGER_CREATE_SERVICE, (manager) => {
    const known = advapi32.OpenServiceW(manager, name, scm.SERVICE_ALL_ACCESS);
    const service =
      known ||
      serviceCalls.CreateServiceW(
        ...([manager, name, displayName, scm.SERVICE_ALL_ACCESS, type, start, normal, binaryPath] as const),
        ...([null, null, null, account, null] as const),
      );
    succeeded('CreateService', service);
    try {
      const before = known ? definitionIn(service) : null;
      if (known) {
        const changed = serviceCalls.ChangeServiceConfigW(
          ...([service, type, start, normal, binaryPath, null, null, null] as const),
          ...([account, null, displayName] as const),
        );
        succeeded('ChangeServiceConfig', changed);
      }
      configure(service, spec);
      return known ? (definitionIn(service) === before ? 'same' : 'changed') : 'created';
    } catch (error) {
      // Half a service would start with half of what was asked for.
      if (!known) serviceCalls.DeleteService(service);
      throw error;
    } finally {
      advapi32.CloseServiceHandle(service);
    }
  });
}

/** What the manager has of it, to be compared: its program, account, start and name, and whether that is delayed. */
function definitionIn(service: number): string {
  // The most that there may be (QueryServiceConfig, remarks).
  const [config, more, needed] = [new Uint8Array(8192), new Uint8Array(8), new Uint8Array(4)] as const;
  succeeded('QueryServiceConfig', serviceCalls.QueryServiceConfigW(service, config, config.length, needed));
  // QUERY_SERVICE_CONFIGW on 64 bits.
  const view = new DataView(config.buffer);
  const texts = [16, 48, 56].map((at) => wideTextAt(view.getBigUint64(at, true), config.length));
  // Not kept by Wine 8: then it stays zero.
  const level = scm.SERVICE_CONFIG_DELAYED_AUTO_START_INFO;
  serviceCalls.QueryServiceConfig2W(service, level, more, more.length, needed);
  return JSON.stringify([view.getUint32(0, true), view.getUint32(4, true), ...texts, more[0]]);
}

function configure(service: number, spec: ServiceSpec): void {
  const kept: Uint8Array[] = [];
  const place = (bytes: Uint8Array) => {
    kept.push(bytes);
    return addressOf(bytes);
  };
  for (const { level, bytes } of settingsOf(spec, place)) {
    if (serviceCalls.ChangeServiceConfig2W(service, level, bytes) !== 0) continue;
    const error = kernel32.GetLastError();
    // Every Windows since Vista knows them all; Wine 8 does not, and is none that restarts or delays by itself.
    if (error !== ERROR_INVALID_LEVEL) throw win32Error('ChangeServiceConfig2', error);
  }
  // Named here so that they stay where the structures point.
  void kept;
}

/** Windows' own program for such entries (eventcreate) has messages 1 to 1000, each of them just the text. */
function setEventSource(name: string, wanted: boolean): void {
  const key = `SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${name}`;
  if (!wanted) {
    serviceCalls.RegDeleteTreeW(scm.HKEY_LOCAL_MACHINE, key);
    return;
  }
  const set = (value: string, type: number, data: Uint8Array) => {
    const error = serviceCalls.RegSetKeyValueW(scm.HKEY_LOCAL_MACHINE, key, value, type, data, data.length);
    if (error !== 0) throw win32Error('RegSetKeyValue', error);
  };
  set('EventMessageFile', scm.REG_EXPAND_SZ, wideText('%SystemRoot%\\System32\\EventCreate.exe'));
  set('TypesSupported', scm.REG_DWORD, new Uint8Array([7, 0, 0, 0]));
}

function report(name: string, kind: 'information' | 'error', text: string): void {
  const log = serviceCalls.RegisterEventSourceW(null, name);
  if (log === 0) return;
  // ReportEvent takes up to 31,839 characters.
  const words = wideText(text.slice(0, 31_000));
  const texts = new Uint8Array(BigUint64Array.of(addressOf(words)).buffer);
  const type = kind === 'error' ? scm.EVENTLOG_ERROR_TYPE : scm.EVENTLOG_INFORMATION_TYPE;
  serviceCalls.ReportEventW(log, type, 0, kind === 'error' ? 2 : 1, null, 1, 0, texts, null);
  serviceCalls.DeregisterEventSource(log);
  void words;
}

function control(name: string, what: string, code: number, access: number): void {
  told(what, name, () =>
    withService(name, access, (service) => {
      succeeded('ControlService', advapi32.ControlService(service, code, new Uint8Array(28)));
    }),
  );
}

async function settled(
  name: string,
  pending: ServiceState['state'],
  signal: AbortSignal,
): Promise<ServiceState> {
  const end = performance.now() + settleWithin;
  for (;;) {
    const now = told('ask for', name, () => stateOf(name)) ?? { state: 'stopped', pid: null, exitCode: 0 };
    if (now.state !== pending) return now;
    if (performance.now() > end)
      throw new ReeveError(
        'timeout',
        `the service ${name} is still ${pending} after ${settleWithin / 1000} s`,
      );
    await sleep(pollEvery, signal);
  }
}

const states: Record<number, ServiceState['state']> = {
  1: 'stopped',
  2: 'starting',
  3: 'stopping',
  4: 'running',
};

function stateOf(name: string): ServiceState | null {
  try {
    return withService(name, scm.SERVICE_QUERY_STATUS, (service) => {
      // SERVICE_STATUS_PROCESS: nine DWORDs.
      const bytes = new Uint8Array(36);
      const needed = new Uint8Array(4);
      const { SC_STATUS_PROCESS_INFO: level } = scm;
      succeeded(
        'QueryServiceStatusEx',
        serviceCalls.QueryServiceStatusEx(service, level, bytes, bytes.length, needed),
      );
      const [, state = 0, , error = 0, specific = 0, , , pid = 0] = new Uint32Array(bytes.buffer);
      const exitCode = error === scm.ERROR_SERVICE_SPECIFIC_ERROR ? specific : error;
      return { state: states[state] ?? 'paused', pid: pid === 0 ? null : pid, exitCode };
    });
  } catch (error) {
    if (error instanceof OsError && error.code === 'ERROR_SERVICE_DOES_NOT_EXIST') return null;
    throw error;
  }
}

function withManager<Result>(access: number, use: (manager: number) => Result): Result {
  const manager = succeeded('OpenSCManager', advapi32.OpenSCManagerW(null, null, access));
  try {
    return use(manager);
  } finally {
    advapi32.CloseServiceHandle(manager);
  }
}

function withService<Result>(name: string, access: number, use: (service: number) => Result): Result {
  return withManager(scm.SC_MANAGER_CONNECT, (manager) => {
    const service = succeeded('OpenService', advapi32.OpenServiceW(manager, name, access));
    try {
      return use(service);
    } finally {
      advapi32.CloseServiceHandle(service);
    }
  });
}

function told<Result>(what: string, name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    const cannot = `cannot ${what} the service ${name}`;
    if (error.errno === 5)
      throw new ReeveError('privilege', `${cannot}: access is denied`, {
        hint: 'Run it in a terminal opened as administrator',
        cause: error,
      });
    if (error.code === 'ERROR_SERVICE_DOES_NOT_EXIST')
      throw new ReeveError('not-found', `${cannot}: there is no such service`, { cause: error });
    throw new ReeveError('conflict', `${cannot}: ${error.message}`, { cause: error });
  }
}
