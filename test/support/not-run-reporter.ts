// Lists at the end what this machine could not run, so that no test is skipped in silence.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Reporter } from 'vitest/node';

export default class NotRunReporter implements Reporter {
  private folder = '';

  onInit(): void {
    this.folder = mkdtempSync(path.join(tmpdir(), 'reeve-not-run-'));
    // Workers inherit it and append a line for what they cannot run.
    process.env.REEVE_NOT_RUN = path.join(this.folder, 'list');
  }

  onTestRunEnd(): void {
    let list = '';
    try {
      list = readFileSync(path.join(this.folder, 'list'), 'utf8');
    } catch {
      // No file: everything ran.
    }
    rmSync(this.folder, { recursive: true, force: true });
    if (list) console.log(`\nNot run on this machine:\n${list.replace(/^/gm, '  ').trimEnd()}`);
  }
}
