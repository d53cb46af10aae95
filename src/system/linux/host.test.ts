// Reading the settings of a host: captured texts, and this very machine.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { needs } from '../../../test/support/parts.ts';
import { rawSocket } from '../../../test/support/raw-socket.ts';
import { createHost, parseLocalRange, parseOpenFiles, parseReserved } from './host.ts';
import { createUserNames } from './users.ts';

it('reads the range of outgoing ports', () => {
  expect(parseLocalRange('32768\t60999\n')).toEqual({ first: 32768, last: 60999 });
  expect(parseLocalRange('')).toBeNull();
});

it('reads reserved ports', () => {
  expect(parseReserved('8080,9148-9200\n')).toEqual([
    { first: 8080, last: 8080 },
    { first: 9148, last: 9200 },
  ]);
  expect(parseReserved('\n')).toEqual([]);
});

it('reads the limits of open files', () => {
  const limits = (soft: string, hard: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft.padEnd(20)} ${hard.padEnd(20)} files     \n`;
  expect(parseOpenFiles(limits('1024', '1048576'))).toEqual({ soft: 1024, hard: 1048576 });
  expect(parseOpenFiles(limits('unlimited', 'unlimited'))).toEqual({ soft: null, hard: null });
  expect(parseOpenFiles('')).toEqual({ soft: null, hard: null });
});

describe.runIf(needs('settings of Linux', 'linux'))('facts of this machine', () => {
  const facts = () => createHost(createUserNames()).facts();

  it('agree with the kernel', async () => {
    const { ephemeral, unprivilegedFrom, descriptors, ipv6 } = await facts();
    const [first, last] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    expect(ephemeral).toEqual({ first: Number(first), last: Number(last) });
    expect(unprivilegedFrom).toBeLessThanOrEqual(65536);
    expect(descriptors.open!).toBeGreaterThan(3);
    expect(ipv6.available).toBe(readFileSync('/proc/net/if_inet6', 'utf8') !== '');
  });

  it('count open descriptors', async () => {
    const before = (await facts()).descriptors.open!;
    using _ = rawSocket('127.0.0.1');
    expect((await facts()).descriptors.open).toBe(before + 1);
  });

  it.runIf(needs('privilege of this process', 'root'))('tell root from others', async () => {
    expect((await facts()).user).toEqual({ uid: 0, name: 'root', elevated: true });
    process.seteuid!(65534);
    try {
      expect((await facts()).user).toEqual({ uid: 65534, name: 'nobody', elevated: false });
    } finally {
      process.seteuid!(0);
    }
  });
});

it.runIf(needs('names of users', 'linux'))('users are named, or keep their number', async () => {
  const userName = createUserNames();
  expect(await userName(0)).toBe('root');
  expect(await userName(54321)).toBe('54321');
  expect(await userName(54321)).toBe('54321');
});
