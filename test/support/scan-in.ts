// Runs scans in a process of their own, inside a network namespace.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ScanRecord } from '../../src/core/records.ts';
import type { ScanJob } from '../fixtures/scan/run.ts';
import { bundled } from './bundled.ts';

const run = promisify(execFile);
let script: Promise<string> | undefined;

/** The record of each round. */
export async function scanIn(prefix: string[], job: ScanJob): Promise<ScanRecord[]> {
  script ??= bundled(new URL('../fixtures/scan/run.ts', import.meta.url));
  const command = [...prefix, process.execPath, await script, JSON.stringify(job)];
  const { stdout } = await run(command[0]!, command.slice(1), { maxBuffer: 1e8 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ScanRecord);
}
