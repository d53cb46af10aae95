// Errors of Windows as OsError: Win32's by number, winsock's by the names that errno and libuv have for the same.
import { OsError } from '../../core/errors.ts';
import { errnoOfWsa } from '../../core/wsa.ts';
import { memoryAt } from '../call.ts';
import { kernel32 } from './kernel32.ts';
import { winsock } from './network.ts';

/** The names that this code decides by; others are shown as their number. */
const names: Record<number, string> = {
  5: 'ERROR_ACCESS_DENIED',
  6: 'ERROR_INVALID_HANDLE',
  31: 'ERROR_GEN_FAILURE',
  87: 'ERROR_INVALID_PARAMETER',
  122: 'ERROR_INSUFFICIENT_BUFFER',
  1051: 'ERROR_DEPENDENT_SERVICES_RUNNING',
  1056: 'ERROR_SERVICE_ALREADY_RUNNING',
  1060: 'ERROR_SERVICE_DOES_NOT_EXIST',
  1062: 'ERROR_SERVICE_NOT_ACTIVE',
  1072: 'ERROR_SERVICE_MARKED_FOR_DELETE',
  1073: 'ERROR_SERVICE_EXISTS',
  1223: 'ERROR_CANCELLED',
};

export function win32Error(call: string, number: number): OsError {
  return new OsError(names[number] ?? `ERROR_${number}`, number, call);
}

/** Passes a result through; @throws OsError where it is 0, as most calls say that they failed. */
export function succeeded(call: string, result: number): number {
  if (result !== 0) return result;
  throw win32Error(call, kernel32.GetLastError());
}

/** The same for winsock, whose calls return -1. */
export function socketSucceeded(call: string, result: number): number {
  if (result !== -1) return result;
  const number = winsock.WSAGetLastError();
  throw new OsError(errnoOfWsa(number), number, call);
}

/** Text of UTF-16 units, as every W call has it. */
export function utf16(bytes: Uint8Array, units = bytes.length / 2): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, units * 2).toString('utf16le');
}

/** Text up to its NUL, of at most so many units, read one by one: nobody tells how much may be read. */
export function wideTextAt(pointer: bigint, longest: number): string {
  let text = '';
  for (let i = 0; i < longest; i++) {
    const unit = utf16(memoryAt(pointer + BigInt(2 * i), 2), 1);
    if (unit === '\0') break;
    text += unit;
  }
  return text;
}
