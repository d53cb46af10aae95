// The conversation with sock_diag, with a socket pair in the kernel's place so that it may misbehave.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needs } from '../../../test/support/parts.ts';
import { checked, declare, libc } from '../../ffi/index.ts';
import { readDiag } from './netlink.ts';

const { socketpair } = declare<{
  socketpair(family: number, type: number, protocol: number, fds: Uint8Array): number;
}>([null], { socketpair: 'int socketpair(int, int, int, void *)' });
const query = { protocols: ['tcp'] as 'tcp'[] };

describe.runIf(needs('netlink of Linux', 'linux'))('readDiag', () => {
  let ours: number;
  let kernels: number;

  beforeEach(() => {
    const fds = new Int32Array(2);
    // AF_UNIX, SOCK_SEQPACKET: whole messages, as on netlink.
    checked('socketpair', socketpair(1, 5, 0, new Uint8Array(fds.buffer)));
    [ours, kernels] = [fds[0]!, fds[1]!];
    // SO_RCVTIMEO of 20 ms, for the test that waits in vain.
    const timeout = new Uint8Array(new BigInt64Array([0n, 20_000n]).buffer);
    checked('setsockopt', libc.setsockopt(ours, 1, 20, timeout, 16));
  });
  afterEach(() => {
    libc.close(ours);
    libc.close(kernels);
  });

  function answer(sequence: number, { type = 3, flags = 2, status = 0 } = {}): void {
    const bytes = new Uint8Array(20);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 20, true);
    view.setUint16(4, type, true);
    view.setUint16(6, flags, true);
    view.setUint32(8, sequence, true);
    view.setInt32(16, status, true);
    checked('send', libc.send(kernels, bytes, bytes.length, 0));
  }

  function countQuestions(): number {
    const buffer = new Uint8Array(100);
    let count = 0;
    // MSG_DONTWAIT
    while (libc.recv(kernels, buffer, 100, 0x40) > 0) count += 1;
    return count;
  }

  it('asks once for each family where all goes well', async () => {
    answer(1);
    answer(2);
    expect(await readDiag(ours, query)).toEqual({ rows: [], unsettled: false });
    expect(countQuestions()).toBe(2);
  });

  it('asks again after an interruption', async () => {
    answer(1, { flags: 0x12 });
    answer(2);
    answer(3);
    expect(await readDiag(ours, query)).toEqual({ rows: [], unsettled: false });
    expect(countQuestions()).toBe(3);
  });

  it('takes what it got after four interruptions, and says so', async () => {
    for (const sequence of [1, 2, 3, 4]) answer(sequence, { flags: 0x12 });
    answer(5);
    expect(await readDiag(ours, query)).toEqual({ rows: [], unsettled: true });
    expect(countQuestions()).toBe(5);
  });

  it('does not take a late answer for one to the next question', async () => {
    answer(1);
    answer(1, { type: 2, status: -1 });
    answer(2);
    expect(await readDiag(ours, query)).toEqual({ rows: [], unsettled: false });
  });

  it('fails with the name of a refusal', async () => {
    answer(1, { type: 2, status: -13 });
    await expect(readDiag(ours, query)).rejects.toMatchObject({ code: 'EACCES', syscall: 'sock_diag' });
  });

  it('takes a kernel without IPv6 for one without IPv6 sockets', async () => {
    answer(1);
    answer(2, { type: 2, status: -2 });
    expect(await readDiag(ours, query)).toEqual({ rows: [], unsettled: false });
  });

  it('does not wait for ever', async () => {
    await expect(readDiag(ours, query)).rejects.toMatchObject({ code: 'EAGAIN', syscall: 'recv' });
  });
});
