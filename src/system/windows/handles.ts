// Opening processes and reading what they keep in their own memory: command line, folder, environment.
import { kernel32, nt, ntdll, utf16, win } from '../../ffi/index.ts';

/** Runs `use` with a handle of the process; null where it does not exist or may not be opened so. */
export function withProcess<Result>(
  pid: number,
  access: number,
  use: (process: number) => Result,
): Result | null {
  if (!isProcessId(pid)) return null;
  const handle = kernel32.OpenProcess(access, 0, pid);
  if (handle === 0) return null;
  try {
    return use(handle);
  } finally {
    kernel32.CloseHandle(handle);
  }
}

/** A DWORD that OpenProcess may be given. 0 is no process. */
export function isProcessId(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && pid <= 0xffffffff;
}

/** Null for one that has ended: its PID lives as long as somebody has a handle of it. */
export function creationTime(process: number): bigint | null {
  const times = [0, 1, 2, 3].map(() => new Uint8Array(8));
  const [created, ended, kernel, user] = times as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  if (kernel32.GetProcessTimes(process, created, ended, kernel, user) === 0) return null;
  return new DataView(created.buffer).getBigUint64(0, true);
}

export function imagePath(process: number): string | null {
  const name = new Uint8Array(65_536);
  const size = new Uint32Array([name.length / 2]);
  const bytes = new Uint8Array(size.buffer);
  if (kernel32.QueryFullProcessImageNameW(process, 0, name, bytes) === 0) return null;
  return utf16(name, size[0]!);
}

export function parentOf(process: number): number | null {
  return basicInformation(process)?.parent ?? null;
}

/** PROCESS_BASIC_INFORMATION, 48 bytes on 64 bits. */
function basicInformation(process: number): { block: bigint; parent: number } | null {
  const bytes = new Uint8Array(48);
  if (ntdll.NtQueryInformationProcess(process, nt.ProcessBasicInformation, bytes, bytes.length, null) < 0)
    return null;
  const view = new DataView(bytes.buffer);
  return { block: view.getBigUint64(8, true), parent: Number(view.getBigUint64(40, true)) };
}

/** Needs less than reading memory does, also of processes of other users (Windows 8.1; Wine 8 has it not). */
export function commandLine(process: number): string | null {
  const bytes = new Uint8Array(65_536 + 64);
  const kind = nt.ProcessCommandLineInformation;
  if (ntdll.NtQueryInformationProcess(process, kind, bytes, bytes.length, null) < 0) return null;
  // A UNICODE_STRING, whose text follows it.
  return utf16(bytes.subarray(16), new DataView(bytes.buffer).getUint16(0, true) / 2);
}

/** RTL_USER_PROCESS_PARAMETERS of 64-bit processes (NtDoc); EnvironmentSize is since Vista. */
const parameters = {
  consoleFlags: 0x18,
  folder: 0x38,
  command: 0x70,
  environment: 0x80,
  environmentSize: 0x3f0,
  size: 0x400,
} as const;
const parametersInBlock = 0x20n;
/** Longer than CreateProcess accepts. */
const maxEnvironment = 1 << 20;

export interface ProcessMemory {
  command: string | null;
  cwd: string | null;
}

/** Of processes that let their memory be read. What was read is what that process says of itself. */
export function processMemory(process: number): ProcessMemory {
  const block = readParameters(process);
  if (!block) return { command: null, cwd: null };
  const folder = readString(process, block, parameters.folder);
  // `C:\work\`, where everybody else writes `C:\work`.
  const cwd = folder && folder.length > 3 ? folder.replace(/\\$/, '') : folder;
  return { command: readString(process, block, parameters.command), cwd };
}

/** The block of `NAME=value` entries, in UTF-16, each ended by a NUL. */
export function environment(process: number): Buffer | null {
  const block = readParameters(process);
  if (!block) return null;
  const size = Number(block.getBigUint64(parameters.environmentSize, true));
  if (size <= 0 || size > maxEnvironment) return null;
  return read(process, block.getBigUint64(parameters.environment, true), size);
}

/**
 * Started as a process group of its own (CREATE_NEW_PROCESS_GROUP), or ignores it by its own choice: the first flag of
 * the console in both cases. False where that may not be read.
 */
export function ignoresCtrlC(process: number): boolean {
  const block = readParameters(process);
  return block !== null && (block.getUint32(parameters.consoleFlags, true) & 1) === 1;
}

function readParameters(process: number): DataView | null {
  const basic = basicInformation(process);
  const pointer = basic && read(process, basic.block + parametersInBlock, 8);
  const bytes = pointer && read(process, pointer.readBigUInt64LE(0), parameters.size);
  return bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function readString(process: number, block: DataView, at: number): string | null {
  const length = block.getUint16(at, true);
  if (length === 0) return '';
  const bytes = read(process, block.getBigUint64(at + 8, true), length);
  return bytes?.toString('utf16le') ?? null;
}

function read(process: number, at: bigint, size: number): Buffer | null {
  if (at === 0n) return null;
  const bytes = new Uint8Array(size);
  const got = new Uint8Array(8);
  if (kernel32.ReadProcessMemory(process, at, bytes, size, got) === 0) return null;
  return new DataView(got.buffer).getBigUint64(0, true) === BigInt(size) ? Buffer.from(bytes.buffer) : null;
}

/** Whether the process has ended, though its PID is still kept by somebody's handle. */
export function hasEnded(process: number): boolean {
  return kernel32.WaitForSingleObject(process, 0) === win.WAIT_OBJECT_0;
}
