// Real shells that have loaded reeve's completion as its help says: bash, zsh on a terminal of its own, fish.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { eventually } from './children.ts';
import { program } from './parts.ts';
import { reeveFile } from './reeve.ts';

/** `reeve` as a command in the folder, without the libraries that an unpacked shell needs. */
export function commandIn(folder: string): string {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const file = path.join(bin, 'reeve');
  writeFileSync(file, `#!/bin/sh\nunset LD_LIBRARY_PATH\nexec '${process.execPath}' '${reeveFile}' "$@"\n`);
  chmodSync(file, 0o755);
  return bin;
}

const withCommand = (bin: string, env: NodeJS.ProcessEnv) => ({
  ...process.env,
  ...env,
  PATH: `${bin}:${process.env.PATH}`,
});

/** What bash offers for a line, as it is told of a press of the key. */
export function bashOffers(script: string, bin: string, line: string, env: NodeJS.ProcessEnv = {}): string[] {
  const press = `COMP_LINE='${line}'; COMP_POINT=${line.length}; _reeve; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const run = spawnSync(program('bash')!, ['-c', `${script}\n${press}`], {
    encoding: 'utf8',
    env: withCommand(bin, env),
  });
  if (run.stderr) throw new Error(run.stderr);
  return run.stdout.split('\n').filter(Boolean);
}

/** What fish offers, with the script in the folder that it reads by itself. */
export function fishOffers(script: string, bin: string, line: string, env: NodeJS.ProcessEnv = {}): string[] {
  const config = path.join(path.dirname(bin), 'config');
  mkdirSync(path.join(config, 'fish', 'completions'), { recursive: true });
  writeFileSync(path.join(config, 'fish', 'completions', 'reeve.fish'), script);
  const file = program('fish')!;
  // Where it was unpacked rather than installed, it looks for its parts in the wrong place; so does zsh.
  const share = path.join(path.dirname(path.dirname(file)), 'share', 'fish', 'functions');
  const library = path.join(path.dirname(path.dirname(file)), 'lib', 'x86_64-linux-gnu');
  const run = spawnSync(
    file,
    [
      ...[
        '-C',
        `set -p fish_function_path '${share}'; set -p fish_complete_path '${config}/fish/completions'`,
      ],
      ...['-c', `complete -C ${quoted(line)}`],
    ],
    {
      encoding: 'utf8',
      cwd: path.dirname(bin),
      env: withCommand(bin, {
        ...env,
        XDG_CONFIG_HOME: config,
        HOME: config,
        ...(existsSync(path.join(library, 'libpcre2-32.so.0')) && { LD_LIBRARY_PATH: library }),
      }),
    },
  );
  if (run.stderr) throw new Error(run.stderr);
  return run.stdout.split('\n').filter(Boolean);
}

const quoted = (text: string) => `'${text.replaceAll("'", "\\'")}'`;

export interface Zsh {
  /** What stands on the line after these keys; the line is empty again. */
  lineAfter(keys: string): Promise<string>;
  /** Waits until the screen shows it, and empties the line. */
  shows(keys: string, text: string | RegExp): Promise<void>;
  close(): Promise<void>;
}

/** A zsh on a terminal, with the script as a file in a folder of $fpath. */
export async function startZsh(script: string, bin: string, env: NodeJS.ProcessEnv = {}): Promise<Zsh> {
  const home = path.join(path.dirname(bin), 'zsh');
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, '_reeve'), script);
  const file = program('zsh')!;
  const unpacked = path.join(path.dirname(path.dirname(file)), 'usr');
  const paths = [
    `module_path=('${unpacked}'/lib/*/zsh/*(N/) $module_path)`,
    `fpath=('${unpacked}'/share/zsh/functions/**/*(N/) $fpath)`,
  ];
  writeFileSync(path.join(home, '.zshenv'), `${paths.join('\n')}\n`);
  const rc = [
    'fpath=($ZDOTDIR $fpath)',
    'autoload -Uz compinit && compinit -u -D',
    'show() { print -r -- "<<$BUFFER>>"; BUFFER= }',
    "zle -N show && bindkey '^X' show",
    "PS1='ready> '",
  ];
  writeFileSync(path.join(home, '.zshrc'), `${rc.join('\n')}\n`);
  const shell = spawn(
    program('script')!,
    ['-qec', `stty cols 200 rows 60; exec '${file}' -o NO_GLOBAL_RCS -i`, '/dev/null'],
    {
      cwd: path.dirname(bin),
      env: withCommand(bin, { ...env, ZDOTDIR: home, TERM: 'xterm', SHELL: '/bin/sh' }),
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  return talkTo(shell);
}

async function talkTo(shell: ChildProcess): Promise<Zsh> {
  let said = '';
  shell.stdout!.setEncoding('utf8').on('data', (part: string) => {
    said += part;
  });
  shell.stdin!.on('error', () => {});
  const text = () => stripVTControlCharacters(said);
  const until = (done: () => boolean) =>
    eventually(done, 20_000).catch(() => {
      throw new Error(`zsh says: ${text()}`);
    });
  const lineAfter = async (keys: string) => {
    said = '';
    shell.stdin!.write(`${keys}\x18`);
    await until(() => /<<.*>>/.test(text()));
    return /<<(.*)>>/.exec(text())![1]!;
  };
  await until(() => text().includes('ready> '));
  return {
    lineAfter,
    async shows(keys, expected) {
      said = '';
      shell.stdin!.write(keys);
      await until(() => (typeof expected === 'string' ? text().includes(expected) : expected.test(text())));
      await lineAfter('');
    },
    async close() {
      shell.kill('SIGKILL');
      if (shell.exitCode === null && shell.signalCode === null) await once(shell, 'exit');
    },
  };
}
