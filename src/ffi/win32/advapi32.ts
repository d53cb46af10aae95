// advapi32's calls: tokens, accounts, and the service control manager. A handle is a number, 0 where there is none.
import { declare, type Pointer } from '../call.ts';

export interface Advapi32 {
  OpenProcessToken(process: number, access: number, token: Pointer): number;
  GetTokenInformation(token: number, kind: number, into: Pointer, size: number, used: Pointer): number;
  LookupAccountSidW(
    system: null,
    sid: bigint,
    name: Pointer,
    nameSize: Pointer,
    domain: Pointer,
    domainSize: Pointer,
    use: Pointer,
  ): number;

  OpenSCManagerW(machine: null, database: null, access: number): number;
  OpenServiceW(manager: number, name: string, access: number): number;
  CloseServiceHandle(handle: number): number;
  ControlService(service: number, control: number, status: Pointer): number;
  QueryServiceStatus(service: number, status: Pointer): number;
  EnumServicesStatusExW(
    manager: number,
    level: number,
    types: number,
    states: number,
    into: Pointer,
    size: number,
    needed: Pointer,
    count: Pointer,
    resume: Pointer,
    group: null,
  ): number;
  /** Undocumented: the name of a service by the tag that sockets carry (seen in System Informer's subprocesstag.h). */
  I_QueryTagInformation(machine: null, kind: number, query: Pointer): number;
}

export const advapi32: Advapi32 = declare<Advapi32>(['advapi32.dll'], {
  OpenProcessToken: 'int OpenProcessToken(intptr_t, uint32_t, void *)',
  GetTokenInformation: 'int GetTokenInformation(intptr_t, int, void *, uint32_t, void *)',
  LookupAccountSidW: 'int LookupAccountSidW(void *, uint64_t, void *, void *, void *, void *, void *)',

  OpenSCManagerW: 'intptr_t OpenSCManagerW(void *, void *, uint32_t)',
  OpenServiceW: 'intptr_t OpenServiceW(intptr_t, str16, uint32_t)',
  CloseServiceHandle: 'int CloseServiceHandle(intptr_t)',
  ControlService: 'int ControlService(intptr_t, uint32_t, void *)',
  QueryServiceStatus: 'int QueryServiceStatus(intptr_t, void *)',
  EnumServicesStatusExW:
    'int EnumServicesStatusExW(intptr_t, int, uint32_t, uint32_t, void *, uint32_t, void *, void *, void *, void *)',
  I_QueryTagInformation: 'uint32_t I_QueryTagInformation(void *, int, void *)',
});

/** From winsvc.h. */
export const service = {
  SC_MANAGER_CONNECT: 0x1,
  SC_MANAGER_ENUMERATE_SERVICE: 0x4,
  SERVICE_QUERY_STATUS: 0x4,
  SERVICE_STOP: 0x20,
  SERVICE_CONTROL_STOP: 1,
  SERVICE_STOPPED: 1,
  SERVICE_WIN32: 0x30,
  SERVICE_ACTIVE: 1,
  SC_ENUM_PROCESS_INFO: 0,
} as const;
