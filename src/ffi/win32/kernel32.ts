// kernel32's calls: processes, their memory, jobs, consoles. A handle is a number; 0 or -1 where there is none.
import { declare, type Pointer } from '../call.ts';

export interface Kernel32 {
  GetLastError(): number;
  CloseHandle(handle: number): number;
  GetCurrentProcess(): number;

  OpenProcess(access: number, inherit: number, pid: number): number;
  GetProcessTimes(process: number, created: Pointer, ended: Pointer, kernel: Pointer, user: Pointer): number;
  QueryFullProcessImageNameW(process: number, flags: number, name: Pointer, size: Pointer): number;
  ReadProcessMemory(process: number, at: bigint, into: Pointer, size: number, read: Pointer): number;
  WaitForSingleObject(handle: number, ms: number): number;
  GetExitCodeProcess(process: number, code: Pointer): number;
  TerminateProcess(process: number, code: number): number;

  CreateJobObjectW(security: null, name: null): number;
  SetInformationJobObject(job: number, kind: number, value: Pointer, size: number): number;
  QueryInformationJobObject(job: number, kind: number, into: Pointer, size: number, used: Pointer): number;
  AssignProcessToJobObject(job: number, process: number): number;
  TerminateJobObject(job: number, code: number): number;

  FreeConsole(): number;
  AttachConsole(pid: number): number;
  GetConsoleProcessList(pids: Pointer, count: number): number;
  SetConsoleCtrlHandler(handler: null, add: number): number;
  GenerateConsoleCtrlEvent(event: number, group: number): number;
  Sleep(ms: number): void;

  GetOEMCP(): number;
  GetACP(): number;
}

export const kernel32: Kernel32 = declare<Kernel32>(['kernel32.dll'], {
  GetLastError: 'uint32_t GetLastError()',
  CloseHandle: 'int CloseHandle(intptr_t)',
  GetCurrentProcess: 'intptr_t GetCurrentProcess()',

  OpenProcess: 'intptr_t OpenProcess(uint32_t, int, uint32_t)',
  GetProcessTimes: 'int GetProcessTimes(intptr_t, void *, void *, void *, void *)',
  QueryFullProcessImageNameW: 'int QueryFullProcessImageNameW(intptr_t, uint32_t, void *, void *)',
  ReadProcessMemory: 'int ReadProcessMemory(intptr_t, uint64_t, void *, size_t, void *)',
  WaitForSingleObject: 'uint32_t WaitForSingleObject(intptr_t, uint32_t)',
  GetExitCodeProcess: 'int GetExitCodeProcess(intptr_t, void *)',
  TerminateProcess: 'int TerminateProcess(intptr_t, uint32_t)',

  CreateJobObjectW: 'intptr_t CreateJobObjectW(void *, void *)',
  SetInformationJobObject: 'int SetInformationJobObject(intptr_t, int, void *, uint32_t)',
  QueryInformationJobObject: 'int QueryInformationJobObject(intptr_t, int, void *, uint32_t, void *)',
  AssignProcessToJobObject: 'int AssignProcessToJobObject(intptr_t, intptr_t)',
  TerminateJobObject: 'int TerminateJobObject(intptr_t, uint32_t)',

  FreeConsole: 'int FreeConsole()',
  AttachConsole: 'int AttachConsole(uint32_t)',
  GetConsoleProcessList: 'uint32_t GetConsoleProcessList(void *, uint32_t)',
  SetConsoleCtrlHandler: 'int SetConsoleCtrlHandler(void *, int)',
  GenerateConsoleCtrlEvent: 'int GenerateConsoleCtrlEvent(uint32_t, uint32_t)',
  Sleep: 'void Sleep(uint32_t)',

  GetOEMCP: 'uint32_t GetOEMCP()',
  GetACP: 'uint32_t GetACP()',
});

/** From the Windows SDK: processthreadsapi.h, winnt.h, winbase.h, wincon.h. */
export const win = {
  PROCESS_TERMINATE: 0x1,
  PROCESS_VM_READ: 0x10,
  PROCESS_SET_QUOTA: 0x100,
  PROCESS_QUERY_INFORMATION: 0x400,
  PROCESS_QUERY_LIMITED_INFORMATION: 0x1000,
  SYNCHRONIZE: 0x100000,
  WAIT_OBJECT_0: 0,
  JobObjectBasicProcessIdList: 3,
  JobObjectExtendedLimitInformation: 9,
  JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE: 0x2000,
  CTRL_C_EVENT: 0,
  CTRL_BREAK_EVENT: 1,
  TOKEN_QUERY: 0x8,
  TokenUser: 1,
  TokenElevation: 20,
  ERROR_ACCESS_DENIED: 5,
  ERROR_FILE_EXISTS: 80,
  ERROR_INVALID_PARAMETER: 87,
  ERROR_INSUFFICIENT_BUFFER: 122,
  ERROR_ALREADY_EXISTS: 183,
  ERROR_MORE_DATA: 234,
} as const;
