// The helper's program (dist/elevated.js): runs a command with the rights that it was given, its output into two files.
import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import path from 'node:path';

const [folder = '', file = '', ...words] = process.argv.slice(2);
// Only made anew: what somebody else laid there is not written to.
const [out, err] = ['out', 'err'].map((name) => openSync(path.join(folder, name), 'wx')) as [number, number];
const { status } = spawnSync(file, words, { stdio: ['ignore', out, err], windowsHide: true });
process.exit(status ?? 70);
