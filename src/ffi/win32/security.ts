// advapi32's security descriptors as text (SDDL), and kernel32's calls that make a file or folder with one.
import { declare, type Pointer } from '../call.ts';

interface Descriptors {
  ConvertStringSecurityDescriptorToSecurityDescriptorW(
    text: string,
    revision: number,
    into: Pointer,
    size: null,
  ): number;
  ConvertSecurityDescriptorToStringSecurityDescriptorW(
    descriptor: bigint,
    revision: number,
    parts: number,
    into: Pointer,
    length: Pointer,
  ): number;
  ConvertSidToStringSidW(sid: bigint, into: Pointer): number;
  ConvertStringSidToSidW(text: string, into: Pointer): number;
  /** The result of this and the next is an error itself: 0 is none. */
  GetNamedSecurityInfoW(
    name: string,
    type: number,
    parts: number,
    owner: null,
    group: null,
    list: null,
    systemList: null,
    into: Pointer,
  ): number;
  SetNamedSecurityInfoW(
    name: string,
    type: number,
    parts: number,
    owner: bigint,
    group: null,
    list: bigint,
    systemList: null,
  ): number;
  GetSecurityDescriptorOwner(descriptor: bigint, owner: Pointer, defaulted: Pointer): number;
  GetSecurityDescriptorDacl(descriptor: bigint, present: Pointer, list: Pointer, defaulted: Pointer): number;
}

export const descriptors: Descriptors = declare<Descriptors>(['advapi32.dll'], {
  ConvertStringSecurityDescriptorToSecurityDescriptorW:
    'int ConvertStringSecurityDescriptorToSecurityDescriptorW(str16, uint32_t, void *, void *)',
  ConvertSecurityDescriptorToStringSecurityDescriptorW:
    'int ConvertSecurityDescriptorToStringSecurityDescriptorW(uint64_t, uint32_t, uint32_t, void *, void *)',
  ConvertSidToStringSidW: 'int ConvertSidToStringSidW(uint64_t, void *)',
  ConvertStringSidToSidW: 'int ConvertStringSidToSidW(str16, void *)',
  GetNamedSecurityInfoW:
    'uint32_t GetNamedSecurityInfoW(str16, int, uint32_t, void *, void *, void *, void *, void *)',
  SetNamedSecurityInfoW:
    'uint32_t SetNamedSecurityInfoW(str16, int, uint32_t, uint64_t, void *, uint64_t, void *)',
  GetSecurityDescriptorOwner: 'int GetSecurityDescriptorOwner(uint64_t, void *, void *)',
  GetSecurityDescriptorDacl: 'int GetSecurityDescriptorDacl(uint64_t, void *, void *, void *)',
});

interface FileCalls {
  CreateFileW(
    file: string,
    access: number,
    share: number,
    security: Pointer,
    how: number,
    flags: number,
    template: null,
  ): number;
  CreateDirectoryW(folder: string, security: Pointer): number;
  LocalFree(memory: bigint): number;
}

export const fileCalls: FileCalls = declare<FileCalls>(['kernel32.dll'], {
  CreateFileW: 'intptr_t CreateFileW(str16, uint32_t, uint32_t, void *, uint32_t, uint32_t, void *)',
  CreateDirectoryW: 'int CreateDirectoryW(str16, void *)',
  LocalFree: 'intptr_t LocalFree(uint64_t)',
});

/** From sddl.h, accctrl.h, winnt.h, fileapi.h. */
export const security = {
  SDDL_REVISION_1: 1,
  SE_FILE_OBJECT: 1,
  OWNER_SECURITY_INFORMATION: 1,
  DACL_SECURITY_INFORMATION: 4,
  PROTECTED_DACL_SECURITY_INFORMATION: 0x8000_0000,
  GENERIC_WRITE: 0x4000_0000,
  CREATE_NEW: 1,
  FILE_ATTRIBUTE_NORMAL: 0x80,
} as const;
