// The bytes that the service manager is given, read back by winsvc.h's structures written down anew.
import { expect, it } from 'vitest';
import type { ServiceSpec } from '../service-manager.ts';
import { settingsOf } from './service-settings.ts';

const spec: ServiceSpec = {
  name: 'portreeve',
  displayName: 'Portreeve',
  description: 'keeps ports in order: ä',
  binaryPath: '"node.exe"',
  start: 'delayed',
  account: 'NT SERVICE\\portreeve',
  restarts: [1000, 5000, 30_000],
  resetAfter: 86_400,
  preshutdown: 90_000,
};

/** By level, in words; memory is a list of what was placed, at made-up addresses. */
function read(given: ServiceSpec): Record<string, unknown> {
  const memory = new Map<bigint, Buffer>();
  const place = (bytes: Uint8Array) => {
    const at = 0x7ff0_0000_0000n + BigInt(memory.size) * 4096n;
    memory.set(at, Buffer.from(bytes));
    return at;
  };
  const found: Record<string, unknown> = {};
  for (const { level, bytes } of settingsOf(given, place)) {
    const words = Buffer.from(bytes);
    const pointed = (at: number) => memory.get(words.readBigUInt64LE(at))!;
    if (level === 1) found.description = pointed(0).toString('utf16le');
    else if (level === 2) {
      // dwResetPeriod, lpRebootMsg, lpCommand, cActions, lpsaActions.
      const actions = pointed(32);
      found.failure = {
        size: words.length,
        resetPeriod: words.readUInt32LE(0),
        texts: [words.readBigUInt64LE(8), words.readBigUInt64LE(16)],
        actions: Array.from({ length: words.readUInt32LE(24) }, (_, i) => [
          actions.readUInt32LE(8 * i),
          actions.readUInt32LE(8 * i + 4),
        ]),
      };
    } else found[level] = [words.length, words.readUInt32LE(0)];
  }
  return found;
}

it('restarts after each failure, also after an error that the service tells itself; delayed; with a SID of its own', () => {
  expect(read(spec)).toEqual({
    description: 'keeps ports in order: ä\0',
    failure: {
      size: 40,
      resetPeriod: 86_400,
      texts: [0n, 0n],
      // SC_ACTION_RESTART is 1.
      actions: [
        [1, 1000],
        [1, 5000],
        [1, 30_000],
      ],
    },
    3: [4, 1],
    4: [4, 1],
    5: [4, 1],
    7: [4, 90_000],
  });
});

it('says of what starts by itself whether it is delayed, and of what is started by hand nothing', () => {
  expect(read({ ...spec, start: 'automatic' })[3]).toEqual([4, 0]);
  expect(read({ ...spec, start: 'manual' })[3]).toBeUndefined();
});
