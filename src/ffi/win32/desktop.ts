// user32's windows, which can be asked to close, and shell32's way of starting a program as administrator.
import { declare, type Pointer } from '../call.ts';

export interface User32 {
  FindWindowExW(parent: number, after: number, kind: null, title: null): number;
  GetWindowThreadProcessId(window: number, pid: Pointer): number;
  PostMessageW(window: number, message: number, a: number, b: number): number;
}

export const user32: User32 = declare<User32>(['user32.dll'], {
  FindWindowExW: 'intptr_t FindWindowExW(intptr_t, intptr_t, void *, void *)',
  GetWindowThreadProcessId: 'uint32_t GetWindowThreadProcessId(intptr_t, void *)',
  PostMessageW: 'int PostMessageW(intptr_t, uint32_t, uintptr_t, intptr_t)',
});

export const WM_CLOSE = 0x10;

export interface Shell32 {
  ShellExecuteExW(info: Pointer): number;
}

export const shell32: Shell32 = declare<Shell32>(['shell32.dll'], {
  ShellExecuteExW: 'int ShellExecuteExW(void *)',
});

/** SHELLEXECUTEINFOW on 64 bits, and what is set in it (shellapi.h, winuser.h). */
export const shellExecute = {
  size: 112,
  mask: 4,
  verb: 16,
  file: 24,
  parameters: 32,
  directory: 40,
  show: 48,
  process: 104,
  SEE_MASK_NOCLOSEPROCESS: 0x40,
  SEE_MASK_NOASYNC: 0x100,
  SEE_MASK_FLAG_NO_UI: 0x400,
  SW_HIDE: 0,
} as const;
