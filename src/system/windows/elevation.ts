// More rights on Windows: the user account control asks on the desktop, then a helper runs the program.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { abortError, sleep } from '../../core/time.ts';
import { addressOf, shellExecute as info, kernel32, shell32 } from '../../ffi/index.ts';
import type { ElevatedRun, Elevation } from '../elevation.ts';
import { isElevated } from './accounts.ts';
import { joinCommandLine } from './command-line.ts';
import { hasEnded } from './handles.ts';

const pollMs = 50;

export function createElevation(helper = helperFile): Elevation {
  return {
    has: isElevated,
    words: (program) => `${joinCommandLine(program)}   (in a terminal opened as administrator)`,
    async run(program, signal) {
      if (signal.aborted) throw abortError(signal);
      const file = helper();
      if (file === null) return null;
      // An elevated program has a console of its own, and no way to write into ours: it leaves its output in a folder.
      const folder = mkdtempSync(path.join(tmpdir(), 'reeve-elevated-'));
      try {
        const handle = start(process.execPath, joinCommandLine([file, folder, ...program]));
        return handle === null ? null : await finish(handle, folder, signal);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Null where there is no desktop to ask on, or the person refused (ERROR_CANCELLED): no other way is left in either case. */
function start(file: string, parameters: string): number | null {
  const texts = ['runas', file, parameters, process.cwd()].map((text) => Buffer.from(`${text}\0`, 'utf16le'));
  const bytes = new Uint8Array(info.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, info.size, true);
  const mask = info.SEE_MASK_NOCLOSEPROCESS | info.SEE_MASK_NOASYNC | info.SEE_MASK_FLAG_NO_UI;
  view.setUint32(info.mask, mask, true);
  const places = [info.verb, info.file, info.parameters, info.directory];
  places.forEach((at, i) => void view.setBigUint64(at, addressOf(texts[i]!), true));
  view.setInt32(info.show, info.SW_HIDE, true);
  if (shell32.ShellExecuteExW(bytes) === 0) return null;
  return Number(view.getBigInt64(info.process, true)) || null;
}

async function finish(handle: number, folder: string, signal: AbortSignal): Promise<ElevatedRun> {
  try {
    while (!hasEnded(handle)) await sleep(pollMs, signal);
    const code = new Uint8Array(4);
    kernel32.GetExitCodeProcess(handle, code);
    const read = (name: string) => {
      const file = path.join(folder, name);
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    };
    return {
      code: new DataView(code.buffer).getUint32(0, true),
      stdout: read('out'),
      stderr: read('err'),
    };
  } finally {
    kernel32.CloseHandle(handle);
  }
}

/** Null in a checkout that was not built. Shared parts of the bundles are a folder deeper than the others. */
function helperFile(): string | null {
  const files = ['./elevated.js', '../elevated.js'].map((at) => fileURLToPath(new URL(at, import.meta.url)));
  return files.find((file) => existsSync(file)) ?? null;
}
