// The ledger in SQLite while another process writes for long: a grant can be called off, and a heartbeat waits its turn.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { freeRange } from '../../test/support/free-range.ts';
import { selectSystem } from '../system/select.ts';
import { openLeaseBook } from './open.ts';
import { ownProcess } from './owner.ts';

it('is called off while it waits, takes nothing then, and goes on when the other has done', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-ledger-'));
  const system = await selectSystem();
  const book = await openLeaseBook({ system, env: {}, folder });
  const other = new DatabaseSync(path.join(folder, 'leases.db'));
  onTestFinished(() => {
    other.close();
    book.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const first = await freeRange(4);
  const request = { owner: await ownProcess(system), range: { first, last: first + 3 }, ttlMs: 15_000 };
  const never = new AbortController().signal;
  const [held] = await book.grant({ ...request, name: 'held' }, never);

  other.exec('begin immediate');
  const stop = new AbortController();
  const called = book.grant({ ...request, name: 'called-off' }, stop.signal);
  const beat = book.renew([held!]);
  setTimeout(() => stop.abort(), 50);
  await expect(called).rejects.toMatchObject({ code: 'aborted' });
  other.exec('commit');
  expect(await beat).toMatchObject([{ name: 'held', renewals: 1 }]);
  expect((await book.list()).map(({ name }) => name)).toEqual(['held']);
});
