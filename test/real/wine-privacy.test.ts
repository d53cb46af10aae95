// The token on Windows: made for its owner alone, refused where others have access. Wine keeps access lists as modes.
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { Wine } from '../support/wine.ts';

describe.runIf(needs('access lists on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  const file = 'C:\\srv\\reeve.yaml';
  let wine: Wine;
  let folder: string;
  beforeAll(async () => {
    wine = await Wine.create();
    folder = path.join(wine.prefix, 'drive_c', 'srv');
    mkdirSync(folder, { mode: 0o777 });
    writeFileSync(path.join(folder, 'reeve.yaml'), 'control: { listen: "127.0.0.1:7070" }\nstate: ./state\n');
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  it('makes the state directory and the token for one user, outside of the profile too', async () => {
    const daemon = wine.start(['up', '-c', file]);
    await eventually(() => {
      if (daemon.process.exitCode !== null) throw new Error(daemon.stderr());
      return daemon.stdout().includes('control');
    }, 40_000);
    const modeOf = (name: string) => statSync(path.join(folder, name)).mode & 0o777;
    expect([modeOf('state') & 0o007, modeOf('state/token') & 0o007]).toEqual([0, 0]);
    expect(readFileSync(path.join(folder, 'state/token'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await wine.reeve(['down', '-c', file])).toMatchObject({ code: 0 });
    await daemon.exited;
  });

  it('refuses a token that others may read', async () => {
    chmodSync(path.join(folder, 'state/token'), 0o644);
    const { code, stderr } = await wine.reeve(['up', '-c', file]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('is open to other users: '),
    });
  });
});
