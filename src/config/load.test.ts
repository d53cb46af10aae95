// Reading the file itself: what is missing, unreadable or not text is told with what to do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'reeve-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('loadConfig', () => {
  it('gives the configuration, its absolute file and the folder that paths are relative to', async () => {
    const file = write('reeve.yaml', 'state: ./state\n');
    const loaded = await loadConfig(path.relative(process.cwd(), file), {});
    expect(loaded).toMatchObject({ file, folder, config: { state: './state' } });
  });

  it('reads JSON', async () => {
    const file = write('reeve.json', JSON.stringify({ ports: { range: '3000-4000' } }, null, '\t'));
    expect((await loadConfig(file, {})).config.ports.range).toEqual({ first: 3000, last: 4000 });
  });

  it('takes variables from the environment it is given', async () => {
    const file = write('env.yaml', ['state: $', '{WHERE}'].join(''));
    expect((await loadConfig(file, { WHERE: '/srv' })).config.state).toBe('/srv');
  });

  it('throws every problem, with the file as it was named', async () => {
    const file = write('bad.yaml', 'stat: x\nports: { range: a }\n');
    await expect(loadConfig(file, {})).rejects.toMatchObject({
      code: 'config',
      exitCode: 2,
      message: [
        `${file}:1:1: stat: unknown key 'stat': did you mean 'state'?`,
        `${file}:2:17: ports.range: 'a' is not a port: a port is a whole number from 1 to 65535`,
      ].join('\n'),
    });
  });

  it('says where it looked for a file that is missing, and how to name one', async () => {
    const file = path.join(folder, 'nowhere', 'reeve.yaml');
    await expect(loadConfig(file, {})).rejects.toMatchObject({
      code: 'config',
      message: `there is no configuration at ${file}`,
      hint: 'Name the file: -c FILE',
    });
  });

  it('refuses a folder, text that is not UTF-8, and what never ends', async () => {
    await expect(loadConfig(folder, {})).rejects.toMatchObject({ code: 'config', message: /is a folder/ });
    const utf16 = write('utf16.yaml', Buffer.from('\uFEFFstate: x', 'utf16le'));
    await expect(loadConfig(utf16, {})).rejects.toMatchObject({
      code: 'config',
      message: /is not UTF-8 text/,
    });
    const long = write('long.yaml', Buffer.alloc(3 * 1024 * 1024, '#'));
    await expect(loadConfig(long, {})).rejects.toMatchObject({ code: 'config', message: /is longer than/ });
  });

  it.runIf(process.platform !== 'win32')('stops reading a device that never ends', async () => {
    await expect(loadConfig('/dev/zero', {})).rejects.toMatchObject({
      code: 'config',
      message: /is longer than/,
    });
  });
});
