// Reading /proc/PID texts, which processes fill with what they like.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findUser,
  hasEnded,
  isNameDoubtful,
  parseBootTime,
  parseCapabilities,
  parseCommandLine,
  parseStat,
  parseUid,
  programName,
} from './proc.ts';

const rest =
  'S 3086 3086 3086 0 -1 4194304 228 0 0 0 1 2 0 0 20 0 11 0 172697 1234567 330 18446744073709551615 0 0';

describe('parseStat', () => {
  it('reads a plain line', () => {
    expect(parseStat(`8894 (node) ${rest}\n`)).toEqual({
      pid: 8894,
      name: 'node',
      state: 'S',
      parent: 3086,
      threads: 11,
      startTicks: '172697',
    });
  });

  it.each(['next-server (v1', 'a) R 1 1 1', '((', '))', 'two\nlines', ') (', ' '])(
    'reads the name %j',
    (name) => {
      expect(parseStat(`7 (${name}) ${rest}`)).toMatchObject({
        pid: 7,
        name,
        state: 'S',
        startTicks: '172697',
      });
    },
  );

  it('reads any name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), (name) => {
        expect(parseStat(`7 (${name}) ${rest}`)).toMatchObject({ name, parent: 3086 });
      }),
    );
  });

  it('is null for anything else', () => {
    for (const text of ['', '7', '7 (node', '7 (node) S', 'x (node) S 1 2'])
      expect(parseStat(text)).toBeNull();
    fc.assert(fc.property(fc.string(), (text) => void parseStat(text)));
  });
});

describe('hasEnded', () => {
  const stat = parseStat(`7 (a) ${rest}`)!;
  it('counts a zombie', () => expect(hasEnded({ ...stat, state: 'Z', threads: 1 })).toBe(true));
  it('not a process whose first thread has ended before the others', () =>
    expect(hasEnded({ ...stat, state: 'Z', threads: 3 })).toBe(false));
  it('not one that sleeps', () => expect(hasEnded(stat)).toBe(false));
});

describe('parseCommandLine', () => {
  it('splits at NUL', () => expect(parseCommandLine('node\0a b\0\0')).toEqual(['node', 'a b']));
  it('keeps empty arguments inside', () => expect(parseCommandLine('a\0\0b\0')).toEqual(['a', '', 'b']));
  it('is empty for kernel threads', () => expect(parseCommandLine('')).toEqual([]));
  it('takes an overwritten title as it is', () =>
    expect(parseCommandLine('nginx: master process')).toEqual(['nginx: master process']));
});

it('reads the effective user and capabilities', () => {
  const status =
    'Name:\tx\\nUid:\t7\t7\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\nCapEff:\t0000000000000400\n';
  expect(parseUid(status)).toBe(0);
  expect(parseCapabilities(status)).toBe(1024n);
  expect(parseUid('')).toBeNull();
  expect(parseCapabilities('')).toBe(0n);
});

it('reads the boot time', () => {
  expect(parseBootTime('cpu  1 2\nbtime 1763753000\nprocesses 5\n')).toBe(1763753000);
  expect(parseBootTime('cpu 1')).toBeNull();
});

it('finds a user by number, not by a name that looks like it', () => {
  const passwd =
    'root:x:0:0:root:/root:/bin/sh\n# comment\n1000:x:1:1::/:\napp:x:1000:1000::/home/app:/bin/sh\n';
  expect(findUser(passwd, 1000)).toBe('app');
  expect(findUser(passwd, 0)).toBe('root');
  expect(findUser(passwd, 2)).toBeNull();
});

describe('programName', () => {
  it('keeps what the kernel says', () => expect(programName('node', ['/usr/bin/python3'])).toBe('node'));
  it('completes a name that the kernel cut', () =>
    expect(programName('systemd-timesyn', ['/lib/systemd/systemd-timesyncd'])).toBe('systemd-timesyncd'));
  it('does not complete it from another word', () =>
    expect(programName('systemd-timesyn', ['(sd-pam)'])).toBe('systemd-timesyn'));
  it.each(['MainThread', 'node-MainThread'])("sees through Node's name of its first thread, %s", (name) => {
    expect(isNameDoubtful(name)).toBe(true);
    expect(programName(name, ['/usr/bin/node', 'a.js'])).toBe('node');
    expect(programName(name, [])).toBe(name);
  });
});
