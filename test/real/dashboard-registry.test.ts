// The registry in the dashboard: a real Consul that answers, goes away and comes back, seen in a real Chromium.
import { describe, expect, test } from 'vitest';
import { startConsul } from '../support/consul.ts';
import { needs } from '../support/parts.ts';
import { appService, house, start } from './daemon-support.ts';
import { expectText, openPage, seriousFaults } from './dashboard-support.ts';

const registered = `
services:${appService}    register: { tags: [v1] }
`;

describe.runIf(needs('the registry in a browser', 'chromium', 'linux'))(
  'the registry in the dashboard',
  () => {
    test('it says in words that nobody answers, and what has not been told yet', async () => {
      // Nobody listens on port 1.
      const daemon = await start(
        house(`registry: { consul: { address: "http://127.0.0.1:1" } }${registered}`),
      );
      const { page, complaints } = await openPage(daemon, '#/overview');
      await expectText(
        page,
        '.registry',
        /is away[\s\S]*app\s*:\d+\s*passing[\s\S]*not yet so in the registry/,
      );
      await expectText(page, '.issues', /Registry: /);
      expect(complaints).toEqual([]);
    });
  },
);

describe.runIf(needs('a real Consul in a browser', 'chromium', 'consul', 'linux'))('a real Consul', () => {
  test('answers, is killed and comes back: each is told, and the last good list stays', async () => {
    await using consul = await startConsul({ keeps: true });
    await consul.api('/v1/agent/service/register', {
      method: 'PUT',
      body: {
        ...{ ID: 'b1', Name: 'backend', Address: '127.0.0.1', Port: 9 },
        Check: { CheckID: 'c-b1', TTL: '10m', Status: 'passing' },
      },
    });
    const daemon = await start(
      house(`registry: { consul: { address: "${consul.address}" } }${registered}
listeners: { web: { bind: ["127.0.0.1:0"], balance: { service: backend } } }
`),
    );
    const { page, complaints } = await openPage(daemon, '#/overview');
    const panel = page.locator('.registry');
    await expectText(page, '.registry', /answers[\s\S]*since \d\d:\d\d:\d\d/);
    await expectText(page, '.registry', /app\s*:\d+\s*passing[\s\S]*backend\s*1 found/);
    await expect.poll(() => panel.getByText('not yet so').count(), { timeout: 15_000 }).toBe(0);
    expect(await panel.getByText('last good list').count()).toBe(0);

    await consul.kill();
    await expectText(page, '.registry', /is away[\s\S]*since \d\d:\d\d:\d\d/, 30_000);
    await expectText(page, '.registry', /backend\s*1 found\s*last good list, of \d\d:\d\d:\d\d/, 30_000);
    await expectText(page, '.issues', /Registry: /);
    expect(daemon.status().listeners[0]!.targets).toHaveLength(1);
    expect(await seriousFaults(page)).toEqual([]);

    await consul.start();
    await expectText(page, '.registry', /answers[\s\S]*since/, 60_000);
    await expect.poll(() => panel.getByText('last good list').count(), { timeout: 60_000 }).toBe(0);
    await expect.poll(() => page.locator('.issues', { hasText: 'Registry' }).count()).toBe(0);
    expect(complaints).toEqual([]);
  }, 150_000);
});
