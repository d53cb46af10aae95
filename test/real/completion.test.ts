// Completion in real shells: what each of them offers for a line, and what it puts there.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/parts.ts';
import { reeve } from '../support/reeve.ts';
import { bashOffers, commandIn, fishOffers, startZsh, type Zsh } from '../support/shells.ts';

let folder: string;
let bin: string;
let server: Server;
let port: string;
let env: { REEVE_LEASES: string };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reeve-complete-'));
  writeFileSync(path.join(folder, 'prod.yaml'), '');
  bin = commandIn(folder);
  env = { REEVE_LEASES: path.join(folder, 'leases') };
  server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = String((server.address() as AddressInfo).port);
  expect((await reeve(['lease', 'web-of-a-test'], { env: { ...process.env, ...env } })).code).toBe(0);
});

afterAll(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const script = async (shell: string) => (await reeve(['completion', shell])).stdout;

describe.runIf(needs('completion in bash', 'bash'))('bash', () => {
  it('offers commands, options, their values, and what exists now', async () => {
    const bash = await script('bash');
    const offers = (line: string) => bashOffers(bash, bin, `reeve ${line}`, env);
    expect(offers('wh')).toEqual(['who', 'why']);
    expect(offers('--json who --al')).toEqual(['--all-states', '--all-namespaces']);
    expect(offers(`free ${port.slice(0, -1)}`)).toContain(port);
    expect(offers('release web')).toEqual(['web-of-a-test']);
    expect(offers('completion z')).toEqual(['zsh']);
    expect(offers('run web -- bas')).toContain('bash');
  });

  it('leaves out what stands before a colon or an equals sign, as bash has put it there already', async () => {
    const bash = await script('bash');
    expect(bashOffers(bash, bin, 'reeve --lang=z')).toEqual(['zh']);
    const reply = `${bash}\nreeve() { printf 'web/127.0.0.1:20000\\tup\\nweb/10.0.0.1:80\\tup\\n:nothing\\n'; }`;
    expect(bashOffers(reply, bin, 'reeve drain web/127.0.0.1:2')).toEqual(['20000']);
  });
});

describe.runIf(needs('completion in fish', 'fish'))('fish', () => {
  it('offers commands, options, their values, and what exists now, each with a note', async () => {
    const fish = await script('fish');
    const offers = (line: string) => fishOffers(fish, bin, `reeve ${line}`, env);
    expect(offers('fr')).toEqual([expect.stringMatching(/^free\tstop whoever/)]);
    expect(offers('--json who --al').map((each) => each.split('\t')[0])).toEqual([
      '--all-namespaces',
      '--all-states',
    ]);
    expect(offers(`free ${port}`)).toEqual([`${port}\tnode (${process.pid})`]);
    expect(offers('release web')).toEqual([expect.stringMatching(/^web-of-a-test\tport \d+$/)]);
    expect(offers('--lang=z')).toEqual(['--lang=zh']);
    expect(offers('up -c pr')).toEqual(['prod.yaml']);
    expect(offers('up --config=pr')).toEqual(['--config=prod.yaml']);
    expect(offers('free --timeout ')).toEqual([]);
    expect(offers('run web -- scrip').map((each) => each.split('\t')[0])).toContain('script');
  });
});

describe.runIf(needs('completion in zsh', 'zsh', 'script', 'linux'))('zsh', () => {
  let zsh: Zsh;
  beforeAll(async () => {
    zsh = await startZsh(await script('zsh'), bin, env);
  });
  afterAll(() => zsh?.close());

  it('completes from the first press: commands, options, their values, and what exists now', async () => {
    expect(await zsh.lineAfter('reeve fre\t')).toBe('reeve free ');
    expect(await zsh.lineAfter('reeve --json who --all-s\t')).toBe('reeve --json who --all-states ');
    expect(await zsh.lineAfter(`reeve free ${port}\t`)).toBe(`reeve free ${port} `);
    expect(await zsh.lineAfter('reeve release w\t')).toBe('reeve release web-of-a-test ');
    expect(await zsh.lineAfter('reeve why --lang z\t')).toBe('reeve why --lang zh ');
    expect(await zsh.lineAfter('reeve up --config=pr\t')).toBe('reeve up --config=prod.yaml ');
    expect(await zsh.lineAfter('reeve up -c pr\t')).toBe('reeve up -c prod.yaml ');
    expect(await zsh.lineAfter('reeve run web -- stt\t')).toBe('reeve run web -- stty ');
  });

  it('shows what may follow with notes', async () => {
    await zsh.shows('reeve w\t\t', /who +-- say who holds a port[\s\S]*wait +-- wait until/);
    await zsh.shows(`reeve who ${port.slice(0, -1)}\t\t`, port);
  });
});

describe('the script', () => {
  it.each(['bash', 'zsh', 'fish', 'powershell'])('for %s asks reeve itself', async (shell) => {
    const { code, stdout } = await reeve(['completion', shell]);
    expect([code, stdout.includes('__complete')]).toEqual([0, true]);
  });

  it('never hears an error, and words that a shell would take apart are left out', async () => {
    const gone = { ...process.env, REEVE_LEASES: path.join(folder, 'prod.yaml', 'none') };
    expect(await reeve(['__complete', ':release', ':'], { env: gone })).toMatchObject({
      ...{ code: 0, stdout: ':nothing\n', stderr: '' },
    });
    await reeve(['lease', 'a b'], { env: { ...process.env, ...env } });
    const { stdout } = await reeve(['__complete', ':release', ':'], { env: { ...process.env, ...env } });
    expect(stdout).not.toContain('a b');
  });
});
