// reeve top on a terminal of its own (script(1)): the table, the filter, freeing after a question, draining, quitting.
import { describe, expect, it } from 'vitest';
import { eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { reeve } from '../support/reeve.ts';
import { terminal } from '../support/terminal.ts';
import { addressOf, appService, house, start } from './daemon-support.ts';

const server = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;

describe.runIf(needs('reeve top', 'linux', 'script'))('reeve top', () => {
  it('shows who listens, filters, frees a port after y alone, and gives the terminal back', async () => {
    const victim = await startNode(server, { detached: true });
    const top = terminal(['top', '--interval', '200ms']);
    await eventually(() => top.screen().includes('ADDRESS'), 20_000);
    top.type(`/${victim.line}\r`);
    await eventually(
      () => new RegExp(`127.0.0.1:${victim.line} +${victim.pid} +node`).test(top.screen()),
      20_000,
    );
    top.type('f');
    await eventually(() => /to free it[\s\S]*end .*node[\s\S]*y: do it/.test(top.screen()), 20_000);
    top.type('n');
    await eventually(() => top.screen().includes('nothing was touched'), 20_000);
    expect(victim.process.signalCode).toBeNull();
    top.type('f');
    await eventually(() => top.screen().includes('y: do it'), 20_000);
    top.type('y');
    await eventually(() => /is free: bound and listened/.test(top.screen()), 30_000);
    expect(victim.process.signalCode).toBe('SIGTERM');
    top.type('q');
    expect(await top.ended).toBe(0);
    expect(top.raw()).toContain('\x1b[?1049h');
    expect(top.raw().trimEnd().endsWith('\x1b[?1049l')).toBe(true);
  });

  it('drains a target of the daemon and takes it back; Ctrl-C quits', async () => {
    const place = house(
      `services:${appService}\nlisteners: { web: { bind: ["127.0.0.1:0"], balance: { service: app } } }`,
    );
    const daemon = await start(place);
    expect(addressOf(daemon, 'web')).toBeDefined();
    const top = terminal(['top', '-c', place.file, '--interval', '200ms']);
    await eventually(() => top.screen().includes('ADDRESS'), 20_000);
    top.type('\t');
    await eventually(() => /web +127\.0\.0\.1:\d+ +app\/0 +up/.test(top.screen()), 20_000);
    const draining = () => daemon.status().listeners[0]!.targets.filter((target) => target.draining).length;
    top.type('d');
    await eventually(() => top.screen().includes('Send no new connections'), 20_000);
    expect(draining()).toBe(0);
    top.type('y');
    await eventually(() => draining() === 1 && /app\/\d +draining/.test(top.screen()), 20_000);
    top.type('u');
    await eventually(() => draining() === 0, 20_000);
    top.type('\x03');
    expect(await top.ended).toBe(0);
  });

  it('says that there is no daemon, and goes on with ports', async () => {
    const top = terminal(['top', '--control', '127.0.0.1:1', '--token-file', '/nonexistent']);
    top.type('\t');
    await eventually(() => top.screen().includes('no daemon answers on 127.0.0.1:1'), 20_000);
    top.type('q');
    expect(await top.ended).toBe(0);
  });

  it('is refused without a terminal', async () => {
    const { code, stderr } = await reeve(['top']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('reeve who --watch --json')]);
  });
});
