// koffi's native part, loaded directly where that is plain, and by koffi else.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadDirectly, loadKoffi } from './koffi.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function withPackages(...names: string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-koffi-'));
  folders.push(folder);
  mkdirSync(path.join(folder, 'node_modules', '@koromix'), { recursive: true });
  for (const name of names) {
    const inside = path.join(folder, 'node_modules', '@koromix', name, name.slice(6).replace('-', '_'));
    mkdirSync(inside, { recursive: true });
    writeFileSync(path.join(inside, 'koffi.node'), 'not a library');
  }
  return path.join(folder, 'deep', 'file.js');
}

describe('koffi', () => {
  it('is loaded, one way or the other', () => {
    const koffi = loadKoffi();
    expect(koffi.sizeof('int')).toBe(4);
    expect(koffi.version).toMatch(/^3\./);
  });

  it('is left to itself where the package is missing, is not the only one, or is broken', () => {
    const own = `koffi-other-${process.arch}`;
    expect(loadDirectly(withPackages())).toBeNull();
    expect(loadDirectly(withPackages(own))).toBeNull();
    expect(loadDirectly(withPackages(own, `koffi-more-${process.arch}`))).toBeNull();
    expect(loadDirectly(withPackages('koffi-other-mips'))).toBeNull();
  });
});
