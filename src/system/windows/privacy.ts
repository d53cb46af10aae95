// Access lists of files and folders, by the security API: given when they are made, and read before they are trusted.
import { OsError, ReeveError } from '../../core/errors.ts';
import {
  descriptors,
  fileCalls,
  kernel32,
  security,
  succeeded,
  wideTextAt,
  win,
  win32Error,
} from '../../ffi/index.ts';
import type { FileAccess, Privacy } from '../privacy.ts';
import { isTrusted, modify, othersIn, ownerOnly, serviceSid } from './access-list.ts';
import { accountName, tokenUser } from './accounts.ts';

const { OWNER_SECURITY_INFORMATION, DACL_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION } =
  security;

/** An access list has at most 64 KiB, its text a few times that. */
const longestText = 1 << 20;

export function createPrivacy(): Privacy {
  return {
    makeFile: (file) =>
      withDescriptor(ownerOnly(ownSid(), 'file'), (descriptor) => {
        const [access, how] = [security.GENERIC_WRITE, security.CREATE_NEW];
        const handle = fileCalls.CreateFileW(
          ...([
            file,
            access,
            0,
            attributesOf(descriptor),
            how,
            security.FILE_ATTRIBUTE_NORMAL,
            null,
          ] as const),
        );
        if (handle === -1) throw madeAlready('CreateFile');
        kernel32.CloseHandle(handle);
      }),
    makeFolder: (folder) =>
      withDescriptor(ownerOnly(ownSid(), 'folder'), (descriptor) => {
        if (fileCalls.CreateDirectoryW(folder, attributesOf(descriptor)) === 0)
          throw madeAlready('CreateDirectory');
      }),
    leaveTo: (service, folder) =>
      // Whoever has made the folder before would stay its owner, and could give it to himself again.
      withDescriptor(`O:BA${ownerOnly(serviceSid(service), 'folder', modify)}`, (descriptor) => {
        const [owner, list] = [new Uint8Array(8), new Uint8Array(8)];
        const [present, defaulted] = [new Uint8Array(4), new Uint8Array(4)];
        succeeded(
          'GetSecurityDescriptorOwner',
          descriptors.GetSecurityDescriptorOwner(descriptor, owner, defaulted),
        );
        succeeded(
          'GetSecurityDescriptorDacl',
          descriptors.GetSecurityDescriptorDacl(descriptor, present, list, defaulted),
        );
        const parts =
          OWNER_SECURITY_INFORMATION + DACL_SECURITY_INFORMATION + PROTECTED_DACL_SECURITY_INFORMATION;
        const error = descriptors.SetNamedSecurityInfoW(
          ...([
            folder,
            security.SE_FILE_OBJECT,
            parts,
            pointerIn(owner),
            null,
            pointerIn(list),
            null,
          ] as const),
        );
        if (error !== 0) throw win32Error('SetNamedSecurityInfo', error);
      }),
    access: (file) => accessOf(file),
  };
}

function accessOf(file: string): FileAccess {
  const into = new Uint8Array(8);
  const parts = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
  const error = descriptors.GetNamedSecurityInfoW(
    ...([file, security.SE_FILE_OBJECT, parts, null, null, null, null, into] as const),
  );
  if (error !== 0) throw win32Error('GetNamedSecurityInfo', error);
  const descriptor = pointerIn(into);
  try {
    const own = ownSid();
    const { owner, others } = othersIn(textOf(descriptor, parts), own);
    const strange = owner !== null && owner !== own && !isTrusted(owner);
    return { others: others.map(nameOf), stranger: strange ? nameOf(owner) : null };
  } finally {
    fileCalls.LocalFree(descriptor);
  }
}

function ownSid(): string {
  const sid = tokenUser(kernel32.GetCurrentProcess(), (user) =>
    localText((into) => descriptors.ConvertSidToStringSidW(user, into)),
  );
  if (sid === null) throw new ReeveError('privilege', 'cannot tell which user this process runs as');
  return sid;
}

function textOf(descriptor: bigint, parts: number): string {
  return localText((into) =>
    descriptors.ConvertSecurityDescriptorToStringSecurityDescriptorW(
      ...([descriptor, security.SDDL_REVISION_1, parts, into, null] as const),
    ),
  );
}

/** `BUILTIN\Users`, or the number itself where nobody has it. */
function nameOf(sid: string): string {
  const into = new Uint8Array(8);
  if (descriptors.ConvertStringSidToSidW(sid, into) === 0) return sid;
  const pointer = pointerIn(into);
  try {
    return accountName(pointer) ?? sid;
  } finally {
    fileCalls.LocalFree(pointer);
  }
}

function withDescriptor<Result>(sddl: string, use: (descriptor: bigint) => Result): Result {
  const into = new Uint8Array(8);
  succeeded(
    'ConvertStringSecurityDescriptorToSecurityDescriptor',
    descriptors.ConvertStringSecurityDescriptorToSecurityDescriptorW(
      ...([sddl, security.SDDL_REVISION_1, into, null] as const),
    ),
  );
  const descriptor = pointerIn(into);
  try {
    return use(descriptor);
  } finally {
    fileCalls.LocalFree(descriptor);
  }
}

/** SECURITY_ATTRIBUTES: 24 bytes, the descriptor at 8; not to be inherited. */
function attributesOf(descriptor: bigint): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setBigUint64(8, descriptor, true);
  return bytes;
}

function madeAlready(call: string): OsError {
  const error = win32Error(call, kernel32.GetLastError());
  const there = error.errno === win.ERROR_FILE_EXISTS || error.errno === win.ERROR_ALREADY_EXISTS;
  return there ? new OsError('EEXIST', error.errno, call) : error;
}

/** Text that the system has reserved for its answer. */
function localText(ask: (into: Uint8Array) => number): string {
  const into = new Uint8Array(8);
  succeeded('ConvertToString', ask(into));
  const pointer = pointerIn(into);
  try {
    return wideTextAt(pointer, longestText);
  } finally {
    fileCalls.LocalFree(pointer);
  }
}

function pointerIn(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer).getBigUint64(0, true);
}
