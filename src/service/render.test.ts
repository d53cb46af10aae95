// What is handed to each system: whole, as it was last looked at, and with hostile names in their place.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ServiceDefinition, serviceName } from './definition.ts';
import { renderPlist } from './launchd.ts';
import { renderScm, scmDefinition, windowsArgument } from './scm.ts';
import { renderUnit } from './systemd.ts';

const unix: ServiceDefinition = {
  name: 'portreeve',
  description: 'Portreeve: keeps the network ports of this machine in order',
  node: '/usr/bin/node',
  script: '/usr/local/lib/node_modules/portreeve/dist/reeve.cjs',
  configFile: '/etc/portreeve/reeve.yaml',
  state: '/var/lib/portreeve',
  profile: 'supervise',
  user: false,
  start: 'automatic',
};
const windows: ServiceDefinition = {
  ...unix,
  node: 'C:\\Program Files\\nodejs\\node.exe',
  script: 'C:\\Program Files\\nodejs\\node_modules\\portreeve\\dist\\reeve.cjs',
  configFile: 'C:\\ProgramData\\portreeve\\reeve.yaml',
  state: 'C:\\ProgramData\\portreeve\\state',
};
const golden = (name: string) => `../../test/fixtures/service/${name}`;

describe('renderUnit', () => {
  it.each(['supervise', 'inspect'] as const)('profile %s', async (profile) => {
    await expect(renderUnit({ ...unix, profile })).toMatchFileSnapshot(golden(`${profile}.service`));
  });

  it('of a user', async () => {
    await expect(renderUnit({ ...unix, user: true })).toMatchFileSnapshot(golden('user.service'));
  });

  it('keeps a path one word, whatever is in it', () => {
    const text = renderUnit({ ...unix, configFile: '/etc/my "own" 100%/$HOME\\reeve.yaml' });
    expect(text).toContain('-c "/etc/my \\"own\\" 100%%/$$HOME\\\\reeve.yaml"');
  });

  it('does not hide a home in which its own program is', () => {
    const text = renderUnit({ ...unix, profile: 'inspect', node: '/home/a/.nvm/node' });
    expect(text).toContain('ProtectHome=read-only');
    expect(text).not.toContain('ProtectHome=yes');
  });
});

describe('renderPlist', () => {
  it('a daemon', async () => {
    await expect(renderPlist(unix)).toMatchFileSnapshot(golden('portreeve.plist'));
  });

  it('is XML whatever the names are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (name) => {
        const values = stringsOf(renderPlist({ ...unix, configFile: `/etc/${name}`, state: name }));
        expect(values).toContain(`/etc/${name}`);
        expect(values).toContain(`${name}/log.jsonl`);
      }),
    );
  });
});

describe('renderScm', () => {
  it('a service', async () => {
    await expect(renderScm(windows)).toMatchFileSnapshot(golden('portreeve.scm.txt'));
  });

  it('quotes every word so that Windows reads it back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme-ascii' }), { minLength: 1 }), (words) => {
        expect(argumentsOf(words.map(windowsArgument).join(' '))).toEqual(words);
      }),
    );
    expect(argumentsOf(scmDefinition(windows).binaryPath)[0]).toBe(windows.node);
  });
});

it('accepts as names only what no system reads as anything else', () => {
  for (const name of ['portreeve', 'web-1']) expect(serviceName.test(name)).toBe(true);
  for (const name of ['', '-a', 'A', 'a b', '../a', 'a%i', 'a@', 'a'.repeat(32)]) {
    expect(serviceName.test(name)).toBe(false);
  }
});

/** A reader of the little XML that a property list is; throws where an element is not closed. */
function stringsOf(xml: string): string[] {
  const open: string[] = [];
  const strings: string[] = [];
  const body = xml.slice(xml.indexOf('<plist'));
  for (const [, text, tag] of body.matchAll(/([^<]*)<([^>]*)>/g)) {
    if (tag!.endsWith('/')) continue;
    if (!tag!.startsWith('/')) open.push(tag!.split(' ')[0]!);
    else {
      if (open.pop() !== tag!.slice(1)) throw new Error(`${tag} closes nothing`);
      if (tag === '/string') strings.push(plain(text!));
    }
  }
  if (open.length > 0) throw new Error(`${open.join(', ')} left open`);
  return strings;
}

function plain(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** By the rules of CommandLineToArgvW, written down anew. */
function argumentsOf(line: string): string[] {
  const words: string[] = [];
  for (let i = 0; i < line.length; ) {
    let word = '';
    let inside = false;
    for (; i < line.length && (inside || line[i] !== ' '); ) {
      let slashes = 0;
      while (line[i] === '\\') {
        slashes++;
        i++;
      }
      if (line[i] === '"') {
        word += '\\'.repeat(Math.floor(slashes / 2));
        if (slashes % 2 === 1) word += '"';
        else inside = !inside;
        i++;
      } else {
        word += '\\'.repeat(slashes);
        if (i < line.length && (inside || line[i] !== ' ')) word += line[i++];
      }
    }
    words.push(word);
    i++;
  }
  return words;
}
