// What an instance prints in the code page of Windows' consoles: in its file and in the log as UTF-8, under Wine.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { Wine } from '../support/wine.ts';

describe.runIf(needs('code pages on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  const file = 'C:\\srv\\reeve.yaml';
  let wine: Wine;
  beforeAll(async () => {
    wine = await Wine.create();
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  it('reads what is not UTF-8 by the OEM page, or by the one that is configured', async () => {
    const folder = path.join(wine.prefix, 'drive_c', 'srv');
    mkdirSync(folder);
    // "Größe" in 437 and in 1252, and a line in UTF-8.
    const print = (hex: string) =>
      `process.stdout.write(Buffer.from('${hex}0a', 'hex')); console.log('Größe ✓'); setInterval(() => {}, 1000)`;
    const service = (hex: string, more: object) => ({
      ...{ command: ['node', '-e', print(hex)], ports: {}, oneshot: true, ...more },
    });
    const services = {
      oem: service('477294e165', {}),
      ansi: service('4772f6df65', { logs: { encoding: 'cp1252' } }),
    };
    const text = { control: { listen: '127.0.0.1:7070' }, state: './state', services };
    writeFileSync(path.join(folder, 'reeve.yaml'), JSON.stringify(text));
    const daemon = wine.start(['up', '-c', file]);
    // Two programs that start at once in a new prefix would both start Wine's server.
    const isUp = () => daemon.process.exitCode !== null || daemon.stdout().includes('control');
    await eventually(isUp, 40_000);
    for (const name of Object.keys(services)) {
      const lines = await eventually(async () => {
        if (daemon.process.exitCode !== null) throw new Error(daemon.stderr());
        const { stdout } = await wine.reeve(['logs', name, '-c', file]);
        return stdout.includes('✓') ? stdout : null;
      }, 40_000);
      expect(lines).toBe(`${name}/0  Größe\n${name}/0  Größe ✓\n`);
    }
    expect(await wine.reeve(['down', '-c', file])).toMatchObject({ code: 0 });
    expect(daemon.stderr()).toContain('oem/0: Größe"');
    expect(daemon.stderr()).toContain('ansi/0: Größe"');
  });
});
