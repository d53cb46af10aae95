// Processes of macOS from bytes made after XNU's published layouts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argumentBytes, processBytes } from '../../../test/support/macos.ts';
import { decodeArguments, decodeFolder, decodeProcesses } from './process-info.ts';

describe('decodeProcesses()', () => {
  it('reads a list, without zombies and the kernel', () => {
    const bytes = Buffer.concat([
      processBytes({ pid: 0, parent: 0, name: 'kernel_task' }),
      processBytes({ pid: 77, parent: 1, group: 70, uid: 501, name: 'node', start: [1_700_000_000, 42] }),
      processBytes({ pid: 78, parent: 77, name: 'gone', state: 5 }),
    ]);
    expect(decodeProcesses(bytes, bytes.length)).toEqual([
      {
        ...{ pid: 77, parent: 1, group: 70, uid: 501, name: 'node', start: '1700000000.000042' },
        startedAt: new Date(1_700_000_000_000),
      },
    ]);
    expect(decodeProcesses(bytes, 700)).toEqual([]);
  });

  it('never reads outside of the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(3000), (bytes, filled) => {
        for (const { pid } of decodeProcesses(bytes, filled)) expect(pid).toBeGreaterThan(0);
      }),
    );
  });
});

describe('decodeArguments()', () => {
  it('parts the command from the environment', () => {
    const command = ['node', '', 'a b\n'];
    const environment = ['HOME=/Users/ann', 'REEVE_RUN=x=y'];
    const bytes = argumentBytes({ path: '/opt/homebrew/bin/node', command, environment });
    expect(decodeArguments(bytes)).toEqual({ command, environment });
  });

  it('leaves out what the loader puts after the environment', () => {
    const bytes = Buffer.concat([
      argumentBytes({ path: '/a', command: ['a'], environment: ['B=1'] }),
      Buffer.from('\0executable_path=/a\0'),
    ]);
    expect(decodeArguments(bytes)).toEqual({ command: ['a'], environment: ['B=1'] });
  });

  it('takes hidden environments and cut bytes for what they are', () => {
    expect(decodeArguments(argumentBytes({ path: '/bin/sh', command: ['sh'] }))).toEqual({
      ...{ command: ['sh'], environment: [] },
    });
    expect(decodeArguments(new Uint8Array(3))).toEqual({ command: [], environment: [] });
    const lying = argumentBytes({ path: '/a', command: ['a'] });
    new DataView(lying.buffer, lying.byteOffset).setInt32(0, 2_000_000_000, true);
    expect(decodeArguments(lying).command).toEqual(['a']);
  });

  it('takes any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeArguments(bytes)));
  });
});

it('reads the working directory', () => {
  const bytes = new Uint8Array(2352);
  expect(decodeFolder(bytes)).toBeNull();
  bytes.set(Buffer.from('/Users/ann/shop'), 152);
  expect(decodeFolder(bytes)).toBe('/Users/ann/shop');
  expect(decodeFolder(bytes.subarray(0, 2000))).toBeNull();
});
