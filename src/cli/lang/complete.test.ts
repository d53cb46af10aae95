// No sentence without its Chinese: what why, free and doctor can say is read from the code itself.
import { expect, test } from 'vitest';
import { sentencesOf } from '../../../test/support/sentences.ts';
import { catalogue, parts, translated } from './translate.ts';

/** Of the system: what the three commands never ask for. */
const elsewhere =
  /linux\/(bpf|scanner|park|listening|namespaces)\b|windows\/(service-control|service-host|scripts|elevation|privacy)\b/;

/** Whatever is below these can end up in what the three commands say; what a new file says, too. */
const said = sentencesOf(
  [
    'src/core/causes',
    ...['why', 'free', 'plan', 'prove', 'lookup', 'doctor', 'target', 'family'].map(
      (name) => `src/ports/${name}.ts`,
    ),
    ...['src/core/endpoint.ts', 'src/core/range.ts'],
    ...['why', 'free', 'doctor'].flatMap((name) => [
      `src/cli/commands/${name}.ts`,
      `src/cli/render/${name}.ts`,
    ]),
    'src/system',
  ],
  // Help is English.
  ['command', 'option', 'argument', 'setting'],
).filter(({ file }) => !elsewhere.test(file));

/** Nothing that is said: commands to copy, types of C, names. */
const commands = /^(reeve|sudo|systemctl|docker|net|netsh|ulimit|log show|lsof|ip) /;
const notSaid = new Set([
  ...[' (netsh int ipv4 show dynamicport tcp)', ' (net.inet.ip.portrange.first and last)'],
  ...['memory compression', 'secure system', 'unsigned long', 'unsigned int'],
  // Behind "cannot", and of commands that speak English.
  ...['Use --method connect', 'cannot send packets of its own making on Windows'],
  ...['cannot send packets of its own making on macOS', 'send packets of its own making'],
  ...[
    'park a port',
    'pass on a listening socket',
    'cannot {} on Windows: a bound socket would keep everybody out',
  ],
  'cannot park a port on macOS: a bound socket would keep everybody out',
  // Whole in the catalogue, in two halves here; doctor's own test asks for it.
  'as administrator: netsh int ipv4 add excludedportrange protocol=tcp startport={} numberofports={}; or {}',
]);

const known = [...catalogue, ...parts].map(([english]) => english.replace(/\{\w+\}/g, '{}'));

/** It is a known one, is translated as a whole, or is a piece of a known one. */
function isKnown(text: string): boolean {
  if (known.includes(text)) return true;
  const fixed = text.split('{}');
  const chinese = translated(fixed.join('7'));
  const left = (piece: string) => piece.trim().split(' ').length > 2 && chinese!.includes(piece.trim());
  if (chinese !== null && !fixed.some(left)) return true;
  const piece = new RegExp(fixed.map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*'));
  return known.some((english) => piece.test(english));
}

test('all that why, free and doctor say of themselves has its Chinese in src/cli/lang', () => {
  const missing = said.filter(({ text }) => !commands.test(text) && !notSaid.has(text) && !isKnown(text));
  expect(missing.map(({ text, file }) => `${file}: ${text}`)).toEqual([]);
  expect(said.length).toBeGreaterThan(300);
});

test('nothing is in the catalogue that the code no longer says', () => {
  const all = said.map(({ text }) => text).join('\n');
  const gone = [...catalogue, ...parts]
    .map(([english]) => english)
    .filter((english) => runsOf(english).length > 0 && !runsOf(english).some((run) => all.includes(run)));
  expect(gone.filter((english) => !inPieces.test(english))).toEqual([]);
});

/** The code puts these together word by word. */
const inPieces = / with(out)? SO_|^none; set aside|other network namespaces$/;

/** Every three words that stand side by side: what is put together from pieces is there in pieces. */
function runsOf(english: string): string[] {
  return english.split(/\{\w+\}/).flatMap((fixed) => {
    const words = fixed.trim().split(' ');
    return words.slice(2).map((_, i) => words.slice(i, i + 3).join(' '));
  });
}

/** As the code fills them in. */
const samples: Readonly<Record<string, string>> = {
  ...{ holder: 'node (PID 42)', processes: '3 processes', place: '0.0.0.0:80', unit: 'web.service' },
  ...{ pid: '42', port: '80', count: '3', first: '1024', soft: '10', hard: '20', uid: '0' },
};

const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => samples[name] ?? 'X');
const fixedIn = (text: string) => text.split(/\{\w+\}/).flatMap((each) => each.trim() || []);

test('every message is found by itself, and not by one that is more general', () => {
  for (const [english, chinese] of catalogue)
    for (const piece of fixedIn(chinese)) expect(translated(fill(english)), english).toContain(piece);
});

test.each(['tcp:80 was left alone: ', 'tcp:80 is not free: ', 'its holder cannot be shown: ', 'procfs: '])(
  'every reason is found behind %j',
  (before) => {
    const outer = [translated(`${before}x`)!.slice(0, -1)];
    for (const [english, chinese] of catalogue.filter(([text]) => isReason(text)))
      for (const piece of [...outer, ...fixedIn(chinese)])
        expect(translated(`${before}${fill(english)}`), english).toContain(piece);
  },
);

/** A sentence of its own: not one with the endpoint before it, and not evidence with a list behind it. */
const isReason = (text: string) =>
  !/^\{(endpoint|folder|source|numbers|range|user)\}|: \{\w+\}$/.test(text) && text.includes(' ');
