// Whose a socket is, where the table of Windows still names a process that is gone, or another one by now.
import { expect, it } from 'vitest';
import { findHolders } from './sockets.ts';

const services = { inProcess: () => [], byTag: () => null };
const queues = { on: async () => [] };
const opened = 1000n;

it.each([
  ['the one that opened it', 900n, [42], null],
  ['one that opened it at its very start', opened, [42], null],
  ['nobody where that one has ended', null, undefined, 'PID 42 opened it and has ended'],
  ['nobody where its PID is another process', 1001n, undefined, 'another process by now'],
])('%s', async (_, start, pids, reason) => {
  const id = `42/0/tcp/80/${opened}`;
  const found = await findHolders(new Set([id]), services, queues, () => start);
  expect(found.pids.get(id)).toEqual(pids);
  expect(found.hidden?.get(id)?.reason ?? null).toEqual(reason && expect.stringContaining(reason));
});

it('trusts the PID where no times are told', async () => {
  const found = await findHolders(new Set(['42/0/udp/53/0']), services, queues, () => 5n);
  expect(found.pids.get('42/0/udp/53/0')).toEqual([42]);
});
