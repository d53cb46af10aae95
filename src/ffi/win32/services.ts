// advapi32's calls for services: their definitions, the life of one in this process, the event log, the registry.
import { declare, type Pointer } from '../call.ts';

export interface ServiceCalls {
  CreateServiceW(
    manager: number,
    name: string,
    displayName: string,
    access: number,
    type: number,
    start: number,
    errorControl: number,
    path: string,
    group: null,
    tag: null,
    dependencies: null,
    account: string | null,
    password: null,
  ): number;
  ChangeServiceConfigW(
    service: number,
    type: number,
    start: number,
    errorControl: number,
    path: string,
    group: null,
    tag: null,
    dependencies: null,
    account: string | null,
    password: null,
    displayName: string,
  ): number;
  ChangeServiceConfig2W(service: number, level: number, info: Pointer): number;
  DeleteService(service: number): number;
  StartServiceW(service: number, count: number, args: null): number;
  QueryServiceConfigW(service: number, into: Pointer, size: number, needed: Pointer): number;
  QueryServiceConfig2W(service: number, level: number, into: Pointer, size: number, needed: Pointer): number;
  QueryServiceStatusEx(service: number, level: number, into: Pointer, size: number, needed: Pointer): number;

  StartServiceCtrlDispatcherW(table: Pointer): number;
  RegisterServiceCtrlHandlerExW(name: string, handler: bigint, context: null): number;
  SetServiceStatus(status: number, values: Pointer): number;

  RegisterEventSourceW(machine: null, source: string): number;
  ReportEventW(
    log: number,
    type: number,
    category: number,
    id: number,
    user: null,
    count: number,
    size: number,
    texts: Pointer,
    data: null,
  ): number;
  DeregisterEventSource(log: number): number;

  /** Results are errors themselves: 0 is none. */
  RegSetKeyValueW(root: number, key: string, name: string, type: number, data: Pointer, size: number): number;
  RegDeleteTreeW(root: number, key: string): number;
}

export const serviceCalls: ServiceCalls = declare<ServiceCalls>(['advapi32.dll'], {
  CreateServiceW:
    'intptr_t CreateServiceW(intptr_t, str16, str16, uint32_t, uint32_t, uint32_t, uint32_t, str16, void *, void *, void *, str16, void *)',
  ChangeServiceConfigW:
    'int ChangeServiceConfigW(intptr_t, uint32_t, uint32_t, uint32_t, str16, void *, void *, void *, str16, void *, str16)',
  ChangeServiceConfig2W: 'int ChangeServiceConfig2W(intptr_t, uint32_t, void *)',
  DeleteService: 'int DeleteService(intptr_t)',
  StartServiceW: 'int StartServiceW(intptr_t, uint32_t, void *)',
  QueryServiceConfigW: 'int QueryServiceConfigW(intptr_t, void *, uint32_t, void *)',
  QueryServiceConfig2W: 'int QueryServiceConfig2W(intptr_t, uint32_t, void *, uint32_t, void *)',
  QueryServiceStatusEx: 'int QueryServiceStatusEx(intptr_t, int, void *, uint32_t, void *)',

  StartServiceCtrlDispatcherW: 'int StartServiceCtrlDispatcherW(void *)',
  RegisterServiceCtrlHandlerExW: 'intptr_t RegisterServiceCtrlHandlerExW(str16, uint64_t, void *)',
  SetServiceStatus: 'int SetServiceStatus(intptr_t, void *)',

  RegisterEventSourceW: 'intptr_t RegisterEventSourceW(void *, str16)',
  ReportEventW:
    'int ReportEventW(intptr_t, uint16_t, uint16_t, uint32_t, void *, uint16_t, uint32_t, void *, void *)',
  DeregisterEventSource: 'int DeregisterEventSource(intptr_t)',

  RegSetKeyValueW: 'int RegSetKeyValueW(intptr_t, str16, str16, uint32_t, void *, uint32_t)',
  RegDeleteTreeW: 'int RegDeleteTreeW(intptr_t, str16)',
});

/** From winsvc.h, winnt.h, winreg.h, winerror.h. */
export const scm = {
  SC_MANAGER_CONNECT: 0x1,
  SC_MANAGER_CREATE_SERVICE: 0x2,
  SERVICE_ALL_ACCESS: 0xf01ff,
  SERVICE_QUERY_STATUS: 0x4,
  SERVICE_START: 0x10,
  SERVICE_STOP: 0x20,
  SERVICE_USER_DEFINED: 0x100,
  SERVICE_PAUSE_CONTINUE: 0x40,
  SERVICE_WIN32_OWN_PROCESS: 0x10,
  SERVICE_AUTO_START: 2,
  SERVICE_DEMAND_START: 3,
  SERVICE_ERROR_NORMAL: 1,
  SERVICE_CONFIG_DESCRIPTION: 1,
  SERVICE_CONFIG_FAILURE_ACTIONS: 2,
  SERVICE_CONFIG_DELAYED_AUTO_START_INFO: 3,
  SERVICE_CONFIG_FAILURE_ACTIONS_FLAG: 4,
  SERVICE_CONFIG_SERVICE_SID_INFO: 5,
  SERVICE_CONFIG_PRESHUTDOWN_INFO: 7,
  SERVICE_SID_TYPE_UNRESTRICTED: 1,
  SC_ACTION_RESTART: 1,
  SC_STATUS_PROCESS_INFO: 0,
  STOPPED: 1,
  START_PENDING: 2,
  STOP_PENDING: 3,
  RUNNING: 4,
  CONTROL_STOP: 1,
  CONTROL_INTERROGATE: 4,
  CONTROL_SHUTDOWN: 5,
  CONTROL_PARAMCHANGE: 6,
  CONTROL_PRESHUTDOWN: 15,
  ACCEPT_STOP: 0x1,
  ACCEPT_SHUTDOWN: 0x4,
  ACCEPT_PARAMCHANGE: 0x8,
  ACCEPT_PRESHUTDOWN: 0x100,
  ERROR_CALL_NOT_IMPLEMENTED: 120,
  ERROR_SERVICE_SPECIFIC_ERROR: 1066,
  EVENTLOG_ERROR_TYPE: 1,
  EVENTLOG_INFORMATION_TYPE: 4,
  /** (HKEY)(LONG)0x80000002, with its sign. */
  HKEY_LOCAL_MACHINE: 0x80000002 | 0,
  REG_EXPAND_SZ: 2,
  REG_DWORD: 4,
} as const;
