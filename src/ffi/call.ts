// The bridge to native code: libraries opened at the first call, results checked, memory that native code may keep.
import { getSystemErrorName } from 'node:util';
import type { LibraryHandle } from 'koffi';
import { OsError } from '../core/errors.ts';
import { type Koffi, loadKoffi } from './koffi.ts';

let loaded: Koffi | undefined;

/** Opening the native module costs milliseconds, so commands that make no native call never do. */
function koffi(): Koffi {
  loaded ??= loadKoffi();
  return loaded;
}

/** What may be passed for a pointer: bytes, an address, or NULL. */
export type Pointer = Uint8Array | bigint | null;

/** The C library that Node itself runs on, glibc or musl; by name only where the program does not export its calls. */
export const cLibrary: readonly (string | null)[] = [
  null,
  'libc.so.6',
  'libc.musl-x86_64.so.1',
  'libc.musl-aarch64.so.1',
];

/**
 * The functions of a native library by their C prototypes. Neither the library nor a function is looked up before
 * its first use. `files` are tried in order; null is what this program itself is linked with.
 */
export function declare<Calls extends object>(
  files: readonly (string | null)[],
  prototypes: { readonly [Name in keyof Calls]: string },
): Calls {
  let library: LibraryHandle | undefined;
  const calls = {} as Calls;
  for (const name of Object.keys(prototypes) as (keyof Calls)[]) {
    Object.defineProperty(calls, name, {
      configurable: true,
      enumerable: true,
      get() {
        library ??= open(files);
        const value = library.func(prototypes[name]);
        Object.defineProperty(calls, name, { value, enumerable: true });
        return value;
      },
    });
  }
  return calls;
}

function open(files: readonly (string | null)[]): LibraryHandle {
  const failures: unknown[] = [];
  for (const file of files) {
    try {
      return koffi().load(file);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `cannot open any of the libraries ${files.join(', ')}`);
}

/** errno of this thread. Read it at once after the call: anything in between may change it. */
export function errno(): number {
  return koffi().errno();
}

/** `EADDRINUSE` for 98. */
export function errnoName(number: number): string {
  const name = getSystemErrorName(-number);
  return /^E\w+$/.test(name) ? name : `E${number}`;
}

/** Passes a result through; @throws OsError where it is negative. `syscall` names the call in the error. */
export function checked(syscall: string, result: number): number {
  if (result >= 0) return result;
  const number = errno();
  throw new OsError(errnoName(number), number, syscall);
}

/** Runs a call on another thread, for those that may block. The arguments are kept alive meanwhile. */
export function offThread<Arguments extends unknown[]>(
  call: (...args: Arguments) => number,
  ...args: Arguments
): Promise<number> {
  return new Promise((resolve, reject) => {
    const { async: start } = call as unknown as { async: (...args: unknown[]) => void };
    start(...args, (error: unknown, result: number) => {
      // Naming them here is what keeps the buffers from being collected while native code writes into them.
      void args;
      if (error) reject(error);
      else resolve(result);
    });
  });
}

/** Where these bytes are, for structures that hold pointers. Keep the bytes referenced as long as native code may look. */
export function addressOf(bytes: Uint8Array): bigint {
  return koffi().address(bytes);
}

/** Memory outside the JavaScript heap; passing its pointer costs less than passing a buffer. */
export interface NativeMemory {
  readonly pointer: bigint;
  readonly bytes: Uint8Array;
  /** `bytes` must not be touched afterwards. */
  free(): void;
}

export function nativeMemory(size: number): NativeMemory {
  const pointer = koffi().alloc('uint8_t', size) as bigint;
  return {
    pointer,
    bytes: new Uint8Array(koffi().view(pointer, size)),
    free: () => koffi().free(pointer),
  };
}

/** Memory that somebody else has reserved, such as by mmap. Not to be touched once it is given back. */
export function memoryAt(pointer: bigint, size: number): Uint8Array {
  return new Uint8Array(koffi().view(pointer, size));
}

/**
 * Calls back whenever the descriptor is readable, from the event loop. Close the watch before the descriptor.
 * An open watch keeps the program running.
 */
export function watchReadable(fd: number, callback: () => void): { close(): void } {
  const handle = koffi().node.poll(fd, { readable: true }, () => {
    // Named here so that it lives as long as the callback does: a collected handle stops watching.
    void handle;
    callback();
  });
  return handle;
}

/**
 * A function that native code calls, by its C prototype, for as long as this process lives. Called from another
 * thread it still runs here, on the event loop, and that thread waits for it without limit.
 */
export function callback(prototype: string, call: (...args: never[]) => number | undefined): bigint {
  const { proto, pointer, register } = koffi();
  return register(call, pointer(proto(prototype))) as bigint;
}

/** Text as the W calls of Windows take it where a structure points at it. */
export function wideText(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'utf16le');
}
