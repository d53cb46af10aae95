// reeve doctor and why on the firewall's rules: Wine has none of its own, so a registry is filled by its own reg.exe.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WhyRecord } from '../../src/core/records.ts';
import { needs } from '../support/parts.ts';
import { Wine } from '../support/wine.ts';

const key = String.raw`HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy`;

describe.runIf(needs('the firewall on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  beforeAll(async () => {
    wine = await Wine.create();
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  it('tells whether a rule lets others reach a port', async () => {
    expect(JSON.stringify(await wine.json(['doctor']))).not.toContain('"firewall"');
    const values = [
      [`${key}\\StandardProfile`, 'EnableFirewall', 'REG_DWORD', '1'],
      [
        `${key}\\FirewallRules`,
        'A',
        'REG_SZ',
        'v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=8080|Name=a|',
      ],
    ];
    await wine.script(`
      for (const [key, name, type, value] of ${JSON.stringify(values)})
        require('node:child_process').execFileSync('reg.exe', ['add', key, '/v', name, '/t', type, '/d', value, '/f'], { stdio: 'ignore' });
      console.log('done')`);
    const { line: port } = await wine.script(
      `require('node:net').createServer().listen(0, '0.0.0.0', function () { console.log(this.address().port) })`,
    );
    const { findings } = await wine.json<{
      findings: { subject: string; message: string; remedy: string }[];
    }>(['doctor']);
    const finding = findings.find(({ subject }) => subject === 'firewall');
    expect(finding?.message).toContain(`tcp ${port} (no rule)`);
    const allowed = await wine.json<WhyRecord>(['why', '0.0.0.0:8080']);
    expect(allowed.causes.filter(({ id }) => id === 'firewall')).toEqual([]);
    const missing = await wine.json<WhyRecord>(['why', '0.0.0.0:8081']);
    expect(missing).toMatchObject({
      verdict: 'free',
      causes: [{ id: 'firewall', remedies: [{ command: expect.stringContaining('localport=8081') }] }],
    });
    expect((await wine.json<WhyRecord>(['why', '127.0.0.1:8081'])).causes).toEqual([]);
  });
});
