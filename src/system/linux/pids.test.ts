// Numbers that name one process, and the processes that there are.
import { describe, expect, it } from 'vitest';
import { needs } from '../../../test/support/parts.ts';
import { isProcessId, listPids } from './pids.ts';

it.each([0, -1, -process.pid, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('%d names no process', (pid) => {
  expect(isProcessId(pid)).toBe(false);
});

it('a whole positive number may', () => expect(isProcessId(1)).toBe(true));

describe.runIf(needs('the list of processes', 'linux'))('listPids', () => {
  it('has this process in it, and only numbers of processes', () => {
    const pids = listPids();
    expect(pids).toContain(process.pid);
    expect(pids.every(isProcessId)).toBe(true);
  });
});
