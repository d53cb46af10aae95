// A systemd unit, its account and its place in the start of the machine; below --root only as files.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorCode, ReeveError } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import { renderUnit, type ServiceDefinition } from '../../service/index.ts';
import type { Io } from '../io.ts';
import type { Step } from './steps.ts';
import type { Installer, InstallerOptions } from './work.ts';

const execute = promisify(execFile);

export function linuxInstaller({ user, root }: InstallerOptions, { signal, env }: Io): Installer {
  const at = (file: string) => (root === null ? file : path.join(root, file));
  const units = user
    ? path.join(env.XDG_CONFIG_HOME || path.join(homedir(), '.config'), 'systemd/user')
    : '/etc/systemd/system';
  const unitOf = (name: string) => at(path.join(units, `${name}.service`));
  const wanted = user ? 'default.target.wants' : 'multi-user.target.wants';
  const linkOf = (name: string) => at(path.join(units, wanted, `${name}.service`));
  const accountOf = (name: string) => at(`/etc/sysusers.d/${name}.conf`);

  const run = async (file: string, ...args: string[]) => {
    try {
      return (await execute(file, args, { signal, timeout: 300_000, env })).stdout;
    } catch (error) {
      const words = printable((error as { stderr?: string }).stderr || String(error)).slice(0, 1000);
      throw new ReeveError('conflict', `${file} ${args.join(' ')} failed: ${words}`, {
        ...(errorCode(error) === 'ENOENT' && {
          hint: `${file} is not on the PATH: is this a system with systemd?`,
        }),
        cause: error,
      });
    }
  };
  const systemctl = (...args: string[]) => {
    if (root !== null)
      throw new ReeveError('usage', `below --root nothing runs: systemctl ${args.join(' ')} cannot be asked`);
    return run('systemctl', ...(user ? ['--user'] : []), ...args);
  };
  const reread: Step = {
    words: 'systemctl daemon-reload',
    carryOut: async () => void (await systemctl('daemon-reload')),
  };

  function account({ name, state }: ServiceDefinition): Step[] {
    const file = accountOf(name);
    return [
      fileStep(file, `u ${name} - "Portreeve" ${state}\n`),
      {
        words: `make the account ${name}`,
        async carryOut() {
          if (hasAccount(at('/etc/passwd'), name)) return false;
          await run('systemd-sysusers', ...(root === null ? [] : [`--root=${root}`]), file);
          return true;
        },
        // An account stays: files may belong to it, and its number must not be given to another.
      },
    ];
  }

  return {
    install(definition) {
      const { name, profile, start } = definition;
      const link = linkOf(name);
      const enable: Step =
        root === null
          ? {
              words: `start it with the ${user ? 'session' : 'machine'}: systemctl enable ${name}`,
              carryOut: async () => void (await systemctl('enable', `${name}.service`)),
              undo: async () => void (await systemctl('disable', `${name}.service`)),
            }
          : {
              words: `start it with the machine: ${link}`,
              carryOut() {
                if (existsSync(link)) return false;
                mkdirSync(path.dirname(link), { recursive: true });
                symlinkSync(`../${name}.service`, link);
                return true;
              },
              undo: () => rmSync(link),
            };
      return [
        ...(profile === 'supervise' && !user ? account(definition) : []),
        fileStep(unitOf(name), renderUnit(definition)),
        ...(root === null ? [reread] : []),
        ...(start === 'manual' ? [] : [enable]),
      ];
    },
    uninstall: (name) => [
      ...(root === null
        ? [
            {
              words: `stop it, and start it no more: systemctl disable --now ${name}`,
              async carryOut() {
                if (!existsSync(unitOf(name))) return false;
                await systemctl('disable', '--now', `${name}.service`);
                return true;
              },
            },
          ]
        : [removal(linkOf(name))]),
      removal(unitOf(name)),
      ...(user ? [] : [removal(accountOf(name))]),
      ...(root === null ? [reread] : []),
    ],
    start: async (name) => void (await systemctl('start', `${name}.service`)),
    stop: async (name) => void (await systemctl('stop', `${name}.service`)),
    reload: async (name) => void (await systemctl('reload', `${name}.service`)),
    async status(name) {
      const installed = existsSync(unitOf(name));
      if (!installed || root !== null) return { name, installed, state: null, running: false, pid: null };
      const text = await systemctl('show', `${name}.service`, '--property=ActiveState,MainPID');
      const state = /^ActiveState=(.+)$/m.exec(text)?.[1] ?? null;
      const pid = Number(/^MainPID=(\d+)$/m.exec(text)?.[1] ?? 0);
      return { name, installed, state, running: state === 'active', pid: pid || null };
    },
  };
}

function hasAccount(file: string, name: string): boolean {
  const before = read(file);
  return before?.split('\n').some((line) => line.startsWith(`${name}:`)) ?? false;
}

/** Puts back what was there before where a later step fails. */
function fileStep(file: string, text: string): Step {
  const before = read(file);
  return {
    words: `write ${file}`,
    carryOut() {
      if (before === text) return false;
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text, { mode: 0o644 });
      return true;
    },
    undo: () => (before === null ? rmSync(file) : writeFileSync(file, before)),
  };
}

function removal(file: string): Step {
  return {
    words: `remove ${file}`,
    carryOut() {
      // A link to what is removed already counts as well.
      try {
        rmSync(file);
        return true;
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return false;
        throw error;
      }
    },
  };
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
