#!/usr/bin/env node
// Starts the command line from what V8 compiled the last time: on Node 20 that is 20 ms of a command's 60.
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';

/** Tells builds apart: V8 itself compares nothing but the length of the source. */
declare const __REEVE_BUILD__: string;

const file = path.join(__dirname, 'command.cjs');
/** Beside the code, where nobody can change it who cannot change the code as well. */
const cache = path.join(__dirname, `command-${__REEVE_BUILD__}-${process.versions.v8}-${process.arch}.cache`);

const compiled = readCompiled();
const code = `(function (require, __filename, loadModule) {${readFileSync(file, 'utf8')}\n})`;
const script = new Script(code, { filename: file, ...(compiled ? { cachedData: compiled } : {}) });
// At the end, so that the functions that this command has used are in it.
if (!compiled || script.cachedDataRejected) process.once('exit', keepCompiled);
// import() fails in a script from a cache (Node 20: ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING), so it is done here.
script.runInThisContext()(require, file, (name: string) => import(name));

function readCompiled(): Buffer | null {
  try {
    return readFileSync(cache);
  } catch {
    return null;
  }
}

/** Where it cannot be written, the next start compiles again. Root leaves nothing in the folders of others. */
function keepCompiled(): void {
  try {
    if (process.getuid && statSync(__dirname).uid !== process.getuid()) return;
    const fresh = `${cache}.${process.pid}`;
    writeFileSync(fresh, script.createCachedData(), { flag: 'wx' });
    renameSync(fresh, cache);
  } catch {}
}
