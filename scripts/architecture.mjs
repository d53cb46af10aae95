// The house rules that a compiler cannot see: which folder may import which, no cycles, one door a folder, small files.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './setup.mjs';

const src = path.join(root, 'src');

/** Folders from the top of the house to its cellar. Each may import the ones below it, never its own neighbours. */
const floors = [
  ['cli'],
  ['daemon'],
  ['relay', 'supervise', 'dial'],
  ['listen', 'ports', 'leases', 'health', 'registry'],
  ['system', 'store', 'sinks', 'service', 'config'],
  ['ffi'],
  ['core'],
];

/** Why an arrow is banned, most telling first. */
const reasons = [
  [
    (from) => from === 'core',
    'core is words and pure rules: it must be usable, and testable, with nothing around it',
  ],
  [(from) => from === 'ffi', 'ffi only makes calls: it knows nothing of what they are for'],
  [(_, to) => to === 'cli', 'the command line is one face among three: what others need belongs below it'],
  [
    (_, to) => to === 'daemon',
    'the daemon composes the parts: a part that needs the daemon cannot be used without it',
  ],
  [
    (_, to) => to === 'ffi',
    'only system/ and the data plane call the system: others ask the System interface, so that every platform can answer',
  ],
  [
    (from, to) => level(from) === level(to),
    'neighbours do not know each other: the daemon or the command hands one to the other',
  ],
  [() => true, 'arrows point down the house, so that a lower room can be read without the upper ones'],
];

const mayUseFfi = new Set(['system', 'relay']);
const selectUsers = new Set(['cli', 'daemon', 'index.ts']);
const maxLines = 300;

const level = (room) => floors.findIndex((rooms) => rooms.includes(room));
const failures = [];
const fail = (file, why) => failures.push(`src/${file}: ${why}`);

const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => path.relative(src, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
const graph = new Map();

for (const file of files) {
  const text = readFileSync(path.join(src, file), 'utf8');
  const isTest = file.endsWith('.test.ts');
  const room = file.includes('/') ? file.split('/')[0] : file;
  const lines = text.split('\n').length - 1;
  if (lines > maxLines) fail(file, `${lines} lines: over ${maxLines}, one idea has probably become two`);
  if (!text.startsWith('// ') && !text.startsWith('#!'))
    fail(file, 'its first line does not say what it is for');
  if (file !== 'system/select.ts' && !isTest && /process\s*\.\s*platform|os\.platform\(/.test(text)) {
    fail(
      file,
      'reads process.platform: only system/select.ts chooses by platform, the rest is handed a System',
    );
  }
  const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]);
  const targets = [];
  for (const name of imports) {
    if (name === 'koffi' && room !== 'ffi')
      fail(file, 'imports koffi: only ffi/ does, so that every call is a checked one');
    if (!name.startsWith('.')) continue;
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), name));
    if (!files.includes(target)) continue;
    targets.push(target);
    checkArrow(file, room, target, isTest);
  }
  if (!isTest) graph.set(file, targets);
}

function checkArrow(file, room, target, isTest) {
  const to = target.includes('/') ? target.split('/')[0] : target;
  if (target === 'system/select.ts' && !selectUsers.has(room) && !isTest) {
    fail(file, 'imports system/select.ts: only entry points (cli, daemon, index.ts) choose a platform');
  }
  if (to === room || room === 'index.ts' || isTest) return;
  if (level(room) < 0)
    return fail(file, `'${room}' has no floor in scripts/architecture.mjs: add it where it belongs`);
  const allowed = level(to) > level(room) && (to !== 'ffi' || mayUseFfi.has(room));
  if (!allowed) fail(file, `must not import ${target}: ${reasons.find(([banned]) => banned(room, to))[1]}`);
  const isDoor = target.endsWith('/index.ts') || target === 'system/select.ts';
  if (!isDoor && to !== 'core')
    fail(file, `imports ${target}: another room is entered by its door, ${to}/index.ts`);
}

/** Depth-first search; reports each cycle once, by its files. */
function findCycles() {
  const done = new Set();
  const walk = (file, trail) => {
    const at = trail.indexOf(file);
    if (at >= 0) return fail(file, `is in an import cycle: ${[...trail.slice(at), file].join(' → ')}`);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
}
findCycles();

for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;
else console.log(`architecture: ${files.length} files in order`);
