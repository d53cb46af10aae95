// Native calls: nothing is loaded before it is needed, failures have names, waiting costs no thread.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { needs } from '../../test/support/parts.ts';
import { addressOf, checked, declare, errnoName, nativeMemory, offThread, watchReadable } from './call.ts';
import { callNumber, libc } from './libc.ts';

it('looks for neither library nor function before the first call', () => {
  const calls = declare<{ gone(): number }>(['no-such-library.so'], { gone: 'int gone(void)' });
  expect(Object.keys(calls)).toEqual(['gone']);
  expect(() => calls.gone()).toThrow('cannot open any of the libraries no-such-library.so');
});

it('names errors', () => {
  expect(errnoName(98)).toMatch(/^E[A-Z0-9]+$/);
  expect(errnoName(9999)).toBe('E9999');
});

describe.runIf(needs('calls of the C library', 'linux'))('libc', () => {
  it('turns -1 into an error with its name', () => {
    expect(() => checked('close', libc.close(-1))).toThrow(
      expect.objectContaining({ name: 'OsError', code: 'EBADF', errno: 9, syscall: 'close' }),
    );
  });

  it('passes other results through', () => {
    expect(checked('sysconf', libc.sysconf(2))).toBe(100);
  });

  it('lends memory that both sides see', () => {
    const memory = nativeMemory(32);
    try {
      const length = libc.readlinkat(-1, '/proc/self/exe', memory.pointer, 32);
      expect(length).toBeGreaterThan(0);
      expect(memory.bytes[0]).toBe('/'.charCodeAt(0));
    } finally {
      memory.free();
    }
  });

  it('takes paths as text, bytes and addresses', () => {
    const path = Buffer.from('/proc/self/exe\0');
    const buffer = new Uint8Array(64);
    const lengths = ['/proc/self/exe', path, addressOf(path)].map((each) =>
      libc.readlinkat(-1, each, buffer, 64),
    );
    expect(new Set(lengths).size).toBe(1);
    expect(lengths[0]).toBeGreaterThan(0);
  });

  it('calls on another thread', async () => {
    expect(await offThread(libc.sysconf, 2)).toBe(100);
  });

  it('calls back when a descriptor becomes readable', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const fd = checked('pidfd_open', libc.syscall(callNumber.pidfdOpen, child.pid!, null, 0));
    const ended = new Promise<void>((resolve) => {
      const watch = watchReadable(fd, () => {
        watch.close();
        resolve();
      });
    });
    const exit = once(child, 'exit');
    child.kill();
    await Promise.all([ended, exit]);
    libc.close(fd);
  });
});
