#!/usr/bin/env node
// Starts the command line from what V8 compiled the last time: on Node 20 that is 20 ms of a command's 60.
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';

/** Our own files by name, and what tells one build of each from another: V8 itself compares only the source's length. */
declare const __REEVE_BUILDS__: Record<string, string>;

/** Of Node's own modules those that take a millisecond or two, and that few commands use: had at the first use. */
const late = new Set([
  'node:child_process',
  'node:crypto',
  'node:dgram',
  'node:dns',
  'node:dns/promises',
  'node:fs/promises',
  'node:http',
  'node:https',
  'node:module',
  'node:net',
  'node:os',
  'node:readline',
  'node:readline/promises',
  'node:timers/promises',
  'node:tls',
  'node:worker_threads',
]);
const requireLate = Object.assign(
  (name: string) => (late.has(name) ? lateModule(name) : require(name)),
  require,
);

const loaded = new Map<string, unknown>();
load(isLook(process.argv.slice(2)) ? 'look' : 'command');

/** Questions about ports, but for `who --pick`, which may go on to any command. */
function isLook([command = '', ...words]: string[]): boolean {
  return ['who', 'why', 'free'].includes(command) && !words.some((word) => /^-(-pick|[^-]*i)/.test(word));
}

function load(name: string): unknown {
  if (loaded.has(name)) return loaded.get(name);
  const file = path.join(__dirname, `${name}.cjs`);
  const code = `(function (module, exports, require, __filename, loadModule) {${readFileSync(file, 'utf8')}\n})`;
  // Beside the code, where nobody can change it who cannot change the code as well.
  const cache = `${file}-${__REEVE_BUILDS__[name]}-${process.versions.v8}-${process.arch}.cache`;
  const compiled = read(cache);
  const script = new Script(code, { filename: file, ...(compiled ? { cachedData: compiled } : {}) });
  // At the end, so that the functions that this command has used are in it.
  if (!compiled || script.cachedDataRejected) process.once('exit', () => keep(cache, script));
  const module = { exports: {} };
  script.runInThisContext()(module, module.exports, requireLate, file, loadModule);
  loaded.set(name, module.exports);
  return module.exports;
}

function lateModule(name: string): unknown {
  const own = (): object => require(name);
  return new Proxy(
    {},
    {
      get: (_, key) => Reflect.get(own(), key),
      has: (_, key) => key in own(),
      ownKeys: () => Reflect.ownKeys(own()),
      getOwnPropertyDescriptor: (_, key) => {
        const found = Reflect.getOwnPropertyDescriptor(own(), key);
        return found && { ...found, configurable: true };
      },
    },
  );
}

/** import() fails in a script from a cache (Node 20: ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING), so it is done here. */
async function loadModule(name: string): Promise<unknown> {
  return Object.hasOwn(__REEVE_BUILDS__, name) ? load(name) : import(name);
}

function read(cache: string): Buffer | null {
  try {
    return readFileSync(cache);
  } catch {
    return null;
  }
}

/** Where it cannot be written, the next start compiles again. Root leaves nothing in the folders of others. */
function keep(cache: string, script: Script): void {
  try {
    if (process.getuid && statSync(__dirname).uid !== process.getuid()) return;
    const fresh = `${cache}.${process.pid}`;
    writeFileSync(fresh, script.createCachedData(), { flag: 'wx' });
    renameSync(fresh, cache);
  } catch {}
}
