// Finding a daemon by its configuration, also by one that the daemon itself would refuse.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadControl } from './control.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reeve-control-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function load(text: string) {
  const file = path.join(folder, 'reeve.yaml');
  await writeFile(file, text);
  return loadControl(file, { STATE: 'here' });
}

describe('loadControl()', () => {
  it('reads address, token file and state', async () => {
    const text = 'control: { listen: "127.0.0.1:7171", tokenFile: ./t }\nstate: "${STATE}"\nlisteners: {}\n';
    expect(await load(text)).toMatchObject({
      folder,
      control: { listen: { host: '127.0.0.1', port: 7171 }, tokenFile: './t' },
      state: 'here',
    });
  });

  it.each([
    'listeners: { web: { bind: nonsense } }',
    'bogus: 1',
    'listeners: [',
    'services: { a: { command: 5 } }',
  ])('still finds it in a file with mistakes: %s', async (mistake) => {
    const place = await load(`control: { listen: "127.0.0.1:7171" }\n${mistake}\n`);
    expect(place.control.listen.port).toBe(7171);
  });

  it('takes the defaults for what is not there or wrong', async () => {
    for (const text of ['', 'control: 5', 'control: { listen: "8.8.8.8:1" }', '- a list']) {
      expect((await load(text)).control.listen).toMatchObject({ host: '127.0.0.1', port: 7070 });
    }
  });

  it('refuses a file that was named and is not there', async () => {
    await expect(loadControl(path.join(folder, 'other.yaml'), {})).rejects.toMatchObject({ code: 'config' });
  });
});
