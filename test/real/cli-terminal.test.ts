// What the command line does only on a terminal: the glance of `reeve` alone, choosing from a list, telling what it waits for.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { openLeaseBook } from '../../src/leases/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { reeve } from '../support/reeve.ts';
import { terminal } from '../support/terminal.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function ownLeases(): { REEVE_LEASES: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-terminal-'));
  folders.push(folder);
  return { REEVE_LEASES: folder };
}

const text = (raw: string) => stripVTControlCharacters(raw);
const server = (port: number | string) =>
  `require('net').createServer().listen(${port}, '127.0.0.1', function () { console.log(this.address().port) })`;

describe.runIf(needs('reeve on a terminal', 'linux', 'script'))('on a terminal', () => {
  it('reeve alone tells what listens and that nothing is wrong', async () => {
    const child = await startNode(server(0));
    const glance = terminal([], ownLeases());
    const code = await glance.ended;
    const said = text(glance.raw());
    expect(said).toMatch(/\d+ TCP ports?, \d+ UDP sockets?, 0 leases; /);
    if (code === 0) expect(said).toContain('✓ nothing is wrong');
    expect(said).toMatch(/reeve who|node/);
    expect(child.process.exitCode).toBeNull();
  });

  it('reeve alone tells of a lease that somebody else took', async () => {
    const env = ownLeases();
    const { stdout } = await reeve(['lease', 'mine', '--ttl', '10m', '-q'], {
      env: { ...process.env, ...env },
    });
    // As reeve run and the daemon note it when they see a stranger on the port.
    const book = await openLeaseBook({ system: await selectSystem(), env: { ...process.env, ...env } });
    const [lease] = await book.list('mine');
    await book.note(lease!, 'stolen', { by: 'nc (PID 1)' });
    book.close();
    const glance = terminal([], env);
    expect(await glance.ended).toBe(1);
    expect(text(glance.raw())).toContain(
      `✗ port ${stdout.trim()}, leased to mine, was taken by another process`,
    );
    expect(text(glance.raw())).not.toContain('nothing is wrong');
  });

  it('reeve alone without a terminal is a mistake, and prints the help', async () => {
    const { code, stderr } = await reeve([]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('Usage: reeve')]);
  });

  it('who --pick chooses by search, and shows the holder', async () => {
    const child = await startNode(server(0));
    const picking = terminal(['who', '--pick']);
    await eventually(() => text(picking.raw()).includes('Type to search'), 20_000);
    picking.type(child.line);
    await eventually(() => text(picking.raw()).includes(`${child.line}  node (${child.pid})`), 20_000);
    picking.type('\r');
    await eventually(() => text(picking.raw()).includes('copy PID'), 20_000);
    picking.type('\r');
    expect(await picking.ended).toBe(0);
    expect(text(picking.raw())).toMatch(new RegExp(`held by +node \\(PID ${child.pid}`));
  });

  it('who --pick is refused without a terminal', async () => {
    const { code, stderr } = await reeve(['who', '--pick']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--pick needs a terminal')]);
  });

  it('a scan that is cancelled shows what it has found, and ends with 130', async () => {
    const child = await startNode(server(0));
    const scan = terminal(['scan', '127.0.0.1', '-p', `${child.line},1-60000`, '--rate', '500/s']);
    await eventually(
      () => /Scanning 127\.0\.0\.1: \d+ of \d+ ports, [^\n]*1 open/.test(text(scan.raw())),
      20_000,
    );
    scan.type('\x03');
    expect(await scan.ended).toBe(130);
    expect(text(scan.raw())).toMatch(/\d+ +open/);
    expect(text(scan.raw())).toContain('cancelled');
  });

  it('wait tells what it waits for, and leaves nothing of it behind', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const waiting = terminal(['wait', '--free', `127.0.0.1:${port}`]);
    await eventually(() => new RegExp(`waiting \\d+s .*${port} held`).test(text(waiting.raw())), 20_000);
    taken.close();
    expect(await waiting.ended).toBe(0);
    expect(text(waiting.raw().split('\x1b[K').at(-1)!)).toMatch(/^.*free/);
  });
});
