// The dashboard in a real Chromium, on a real daemon with real traffic.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { addressOf, appService, house, start } from './daemon-support.ts';
import { expectText, greeter, keepConnecting, openPage, seriousFaults } from './dashboard-support.ts';

const views = ['overview', 'traffic', 'ports', 'checks', 'leases', 'events', 'config'];

async function town(targets: number[], moreChecks = '') {
  const list = targets.map((port) => `"127.0.0.1:${port}"`).join(', ');
  const place = house(`
services:${appService}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
  fixed:
    bind: ["127.0.0.1:0"]
    balance: { targets: [${list}], check: { tcp: true, interval: 300ms, fastInterval: 100ms, fall: 2, timeout: 300ms } }
  lines: { bind: ["127.0.0.1:0"], frame: line, sink: file }
sinks:
  file: { file: ./lines.jsonl }
checks:
  first: { url: "tcp://127.0.0.1:${targets[0]}", interval: 300ms, fastInterval: 100ms }
${moreChecks}`);
  const daemon = await start(place);
  return { ...place, daemon, token: readFileSync(path.join(place.folder, 'state', 'token'), 'utf8').trim() };
}

describe.runIf(needs('the dashboard in a browser', 'chromium', 'linux'))('the dashboard', () => {
  test('every view shows what is there, in both themes and at phone width, without a serious fault', async () => {
    const [one, two] = [await greeter(), await greeter()];
    const { daemon } = await town([one.port, two.port]);
    for (const name of ['fixed', 'lines', 'web']) keepConnecting(addressOf(daemon, name));
    const looks: { dark?: boolean; width?: number }[] = [{}, { dark: true }, { width: 390 }];
    for (const options of looks) {
      const { page, complaints } = await openPage(daemon, '', options);
      for (const view of views) {
        await page.goto(`http://${daemon.address}/#/${view}`);
        await expectText(page, 'main', seen[view]!);
        if (!options.width) expect(await seriousFaults(page), view).toEqual([]);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect(overflow, `${view} is wider than its page`).toBeLessThanOrEqual(0);
      }
      expect(complaints).toEqual([]);
    }
    const { page } = await openPage(daemon, '', { locale: 'zh-CN' });
    await expectText(page, 'main', /一切正常|需要关注/);
    await expectText(page, 'nav', /概览[\s\S]*配置/);
  }, 120_000);

  const seen: Record<string, RegExp> = {
    overview: /web[\s\S]*listening[\s\S]*(?!0 )\d+(\.\d)? new\/s[\s\S]*app\/0\s+up/,
    traffic: /fixed[\s\S]*127\.0\.0\.1:\d+[\s\S]*Drain/,
    ports: /of [\d,]+ sockets[\s\S]*listener\/web/,
    checks: /first[\s\S]*Up since .*the last probe took .* failures in a row would take it down/,
    leases: /service\/app\/0\/http[\s\S]*granted/,
    events: /daemon[\s\S]*ready, control API on/,
    config: /listeners:\s+web:[\s\S]*least|round-robin/,
  };

  test('a target that ends turns red within its detection time', async () => {
    const [one, two] = [await greeter(), await greeter()];
    const { daemon } = await town([one.port, two.port]);
    const { page } = await openPage(daemon, '#/traffic');
    const row = page.locator('.target', { hasText: String(two.port) });
    await row.locator('.tone-up').waitFor();
    const start = performance.now();
    two.close();
    await row.locator('.tone-down').waitFor();
    // 300 ms ± 10 % to the first probe, 100 ms to the second, a second to the next look: and a loaded machine.
    console.log(`red ${Math.round(performance.now() - start)} ms after the target's end`);
    expect(
      await page
        .locator('.target', { hasText: String(one.port) })
        .locator('.tone-up')
        .count(),
    ).toBe(1);
    await page.goto(`http://${daemon.address}/#/overview`);
    await expectText(page, '.issues', new RegExp(`127.0.0.1:${two.port} of fixed is down`));
  });

  test('changes need the token once; then a target is drained and taken back by button', async () => {
    const [one, two] = [await greeter(), await greeter()];
    const { daemon, token } = await town([one.port, two.port]);
    const { page, complaints } = await openPage(daemon, '#/traffic');
    const id = `127.0.0.1:${one.port}`;
    const row = page.locator('.target', { hasText: id });
    const draining = () =>
      daemon
        .status()
        .listeners.find(({ name }) => name === 'fixed')!
        .targets.find((target) => target.id === id)!.draining;
    await row.getByRole('button', { name: 'Drain' }).click();
    await page.getByLabel('Token').fill('not the token at all');
    await page.getByRole('button', { name: 'Sign in' }).last().click();
    await expectText(page, '[role=alert]', /that is not the token/);
    expect(draining()).toBe(false);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByLabel('Token').waitFor({ state: 'detached' });
    await row.getByRole('button', { name: `Drain ${id}` }).click();
    await row.locator('.state.tone-warn').waitFor();
    expect(draining()).toBe(true);
    // The session outlasts the page; no script can read its cookie.
    await page.reload();
    expect(await page.evaluate('document.cookie')).toBe('');
    await row.getByRole('button', { name: /again/ }).click();
    await row.locator('.state.tone-up').waitFor();
    expect(draining()).toBe(false);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await row.getByRole('button', { name: 'Drain' }).click();
    await page.getByLabel('Token').waitFor();
    expect(complaints).toEqual([]);
  });

  test('what is degraded says why; maintenance begins and ends by button, and so does another weight', async () => {
    const [one, two] = [await greeter(), await greeter()];
    const worn = '  worn: { url: "exec:false", interval: 300ms, fall: 1, rise: 1 }\n';
    const { daemon, token } = await town([one.port, two.port], worn);
    const { page, complaints } = await openPage(daemon, '#/checks');
    const check = page.locator('.check', { hasText: 'worn' });
    await check.locator('.state.tone-warn', { hasText: 'degraded' }).waitFor();
    await expectText(page, '#check-worn', /got a warning.*to be looked at/);
    const begin = check.getByRole('button', { name: /^Maintain worn/ });
    const dialog = page.getByRole('dialog', { name: 'Maintenance of worn' });
    const left = () => Date.parse(daemon.status().maintenance[0]?.until ?? '') - Date.now();
    await begin.click();
    await dialog.getByRole('button', { name: '15 min' }).click();
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByLabel('Token').waitFor({ state: 'detached' });
    // What is no duration cannot be sent.
    const own = dialog.getByLabel('For another time');
    await own.fill('a while');
    await dialog.getByText('Write numbers with units').waitFor();
    expect(await dialog.getByRole('button', { name: 'Begin: worn, for this time' }).isDisabled()).toBe(true);
    await own.fill('2h 30m');
    await dialog.getByRole('button', { name: 'Begin: worn, for this time' }).click();
    await expectText(page, '#check-worn', /maintenance until .*\d\d:\d\d/);
    expect(daemon.status().maintenance.map(({ subject }) => subject)).toEqual(['check/worn']);
    expect(left() / 60_000).toBeGreaterThan(145);
    // Another time takes its place.
    const change = check.getByRole('button', { name: 'Change the maintenance of worn' });
    await change.click();
    await dialog.getByRole('button', { name: '15 min' }).click();
    await expect.poll(() => left() / 60_000).toBeLessThan(16);
    await change.click();
    const inTwoDays = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 16);
    await dialog.getByLabel('Until', { exact: true }).fill(inTwoDays);
    await dialog.getByRole('button', { name: 'Begin: worn, until then' }).click();
    await expect.poll(() => left() / 3_600_000).toBeGreaterThan(20);
    await change.click();
    expect(await seriousFaults(page)).toEqual([]);
    // The list becomes empty, which the stream has to tell.
    await dialog.getByRole('button', { name: /^End it now/ }).click();
    await begin.waitFor();
    await expect.poll(() => check.getByText('maintenance until').count()).toBe(0);
    expect(daemon.status().maintenance).toEqual([]);

    await page.goto(`http://${daemon.address}/#/traffic`);
    const id = `127.0.0.1:${one.port}`;
    const row = page.locator('.target', { hasText: id });
    await row.getByRole('button', { name: /^Maintain/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: '1 h', exact: true }).click();
    await row.getByText('maintenance until').waitFor();
    // All instances of a service at once.
    await page.getByRole('button', { name: /^Maintain app:/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: '4 h' }).click();
    await page.locator('.target', { hasText: 'app/0' }).getByText('maintenance until').waitFor();
    const subjects = daemon.status().maintenance.map(({ subject }) => subject);
    expect(subjects.sort()).toEqual(['service/app', `target/fixed/${id}`]);
    await row.getByRole('button', { name: `Weight 1 of ${id}` }).click();
    await page.getByRole('spinbutton').fill('7');
    await page.getByRole('button', { name: 'Give it this weight' }).click();
    await row.getByRole('button', { name: `Weight 7 of ${id}` }).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.goto(`http://${daemon.address}/#/overview`);
    await expectText(page, '.issues', /Check worn: .*degraded/);
    expect(complaints).toEqual([]);
  });

  test('names of processes are text, whatever they say', async () => {
    const hostile = '<img src=x onerror=window.pwned=1>';
    const { daemon } = await town([1]);
    const script = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
    const child = await startNode(script, { argv0: hostile });
    const { page, complaints } = await openPage(daemon, `#/ports/${child.line}`);
    await expectText(page, 'dialog', /<img src=x/);
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').fill('onerror');
    await page.getByRole('searchbox').fill(child.line);
    await expectText(page, 'tbody', new RegExp(child.line));
    expect(await page.evaluate('"pwned" in window')).toBe(false);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('a port is freed after its plan was shown, and the proof is told', async () => {
    const { daemon, token } = await town([1]);
    const script = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
    const child = await startNode(script, { detached: true });
    const { page } = await openPage(daemon, `#/ports/${child.line}`);
    await page.getByRole('button', { name: /Plan to free/ }).click();
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByLabel('Token').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /Plan to free/ }).click();
    await expectText(page, 'dialog', new RegExp(`would be done[\\s\\S]*PID ${child.pid}`));
    expect(child.process.exitCode ?? child.process.signalCode).toBeNull();
    await page.getByRole('button', { name: 'Do this' }).click();
    await expectText(page, 'dialog', /Freed/, 30_000);
    await expect.poll(() => child.process.signalCode).not.toBeNull();
  });

  test('it is honest while the daemon is away, and goes on with the next one', async () => {
    const { daemon, file } = await town([1]);
    const { page, complaints } = await openPage(daemon, '#/events');
    await expectText(page, 'main', /ready, control API on/);
    const { address } = daemon;
    await daemon.drainAndStop();
    await expectText(page, '.banner', /Not connected\. What is shown was last seen at/);
    expect(await page.locator('.app.stale').count()).toBe(1);
    // The first address in the file is the control API's.
    writeFileSync(file, readFileSync(file, 'utf8').replace('127.0.0.1:0', address));
    const again = await start({ file }, { version: 'another' });
    await page.locator('.app:not(.stale)').waitFor();
    await expectText(page, '.side-bar', /another/);
    await expectText(page, '.banner', /Another version/);
    expect(again.address).toBe(address);
    expect(complaints.filter((text) => !text.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
  });
});
