// Runs the built command line as a user would, also as a user without privilege.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
export const reeveFile = path.join(root, 'dist', 'reeve.cjs');

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `file` in the place of the build; `prefix` before the whole command. */
type Start = SpawnOptions & { file?: string; prefix?: string[] };

export function startReeve(args: string[], options: Start = {}): ChildProcess {
  const { file = reeveFile, prefix = [], ...rest } = options;
  const command = [...prefix, process.execPath, file, ...args];
  return spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], ...rest });
}

/** Resolves with what it printed once it has ended. */
export async function reeve(args: string[], options: Start = {}): Promise<Run> {
  const child = startReeve(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}

export async function reeveJson<T>(args: string[], options: Start = {}): Promise<T> {
  const { stdout, stderr } = await reeve(['--json', ...args], options);
  try {
    return JSON.parse(stdout) as T;
  } catch {
    throw new Error(`no JSON from reeve ${args.join(' ')}: ${stdout}${stderr}`);
  }
}

export const nobody = { uid: 65_534, gid: 65_534 };

/** A copy of the build that every user may read, wherever the checkout is; removed by `using`. */
export function publicCopy(): { file: string; folder: string; [Symbol.dispose](): void } {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'reeve-public-')));
  chmodSync(folder, 0o755);
  cpSync(path.join(root, 'dist'), path.join(folder, 'dist'), { recursive: true });
  cpSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  for (const name of ['koffi', '@koromix']) {
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    cpSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name), {
      recursive: true,
    });
  }
  return {
    file: path.join(folder, 'dist', 'reeve.cjs'),
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
