// Says at the end what this machine could not run, and what passed only at a second try: neither is passed over in silence.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Reporter, TestCase } from 'vitest/node';

export default class HonestReporter implements Reporter {
  private folder = '';
  private readonly unsteady: string[] = [];

  onInit(): void {
    this.folder = mkdtempSync(path.join(tmpdir(), 'reeve-not-run-'));
    // Workers inherit it and append a line for what they cannot run.
    process.env.REEVE_NOT_RUN = path.join(this.folder, 'list');
  }

  onTestCaseResult(test: TestCase): void {
    if (!test.diagnostic()?.flaky) return;
    const { errors = [] } = test.result();
    const why = errors[0]?.message.split('\n')[0] ?? 'no error';
    this.unsteady.push(`${test.module.relativeModuleId} > ${test.fullName}: ${why}`);
  }

  onTestRunEnd(): void {
    let list = '';
    try {
      list = readFileSync(path.join(this.folder, 'list'), 'utf8');
    } catch {
      // No file: everything ran.
    }
    rmSync(this.folder, { recursive: true, force: true });
    if (list) console.log(`\nNot run on this machine:\n${indented(list)}`);
    if (this.unsteady.length > 0) {
      console.log(`\nPassed only at the second try:\n${indented(this.unsteady.join('\n'))}`);
    }
  }
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ').trimEnd();
}
