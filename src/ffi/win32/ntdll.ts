// ntdll's two look-ups: every process at once, and where one keeps its command line. Results are NTSTATUS.
import { declare, type Pointer } from '../call.ts';

export interface Ntdll {
  NtQuerySystemInformation(kind: number, into: Pointer, size: number, used: Pointer): number;
  NtQueryInformationProcess(
    process: number,
    kind: number,
    into: Pointer,
    size: number,
    used: Pointer,
  ): number;
}

export const ntdll: Ntdll = declare<Ntdll>(['ntdll.dll'], {
  NtQuerySystemInformation: 'int NtQuerySystemInformation(int, void *, uint32_t, void *)',
  NtQueryInformationProcess: 'int NtQueryInformationProcess(intptr_t, int, void *, uint32_t, void *)',
});

export const nt = {
  SystemProcessInformation: 5,
  ProcessBasicInformation: 0,
  /** Windows 8.1. */
  ProcessCommandLineInformation: 60,
  STATUS_INFO_LENGTH_MISMATCH: 0xc0000004 | 0,
} as const;
