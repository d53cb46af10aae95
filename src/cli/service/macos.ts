// A launchd daemon or agent. Not verified on a real Mac.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ReeveError } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import { labelOf, renderPlist } from '../../service/index.ts';
import type { Installer, InstallerOptions } from './work.ts';

const execute = promisify(execFile);

export function macosInstaller({ user }: InstallerOptions, signal: AbortSignal): Installer {
  const domain = user ? `gui/${process.getuid?.()}` : 'system';
  const folder = user ? path.join(homedir(), 'Library/LaunchAgents') : '/Library/LaunchDaemons';
  const fileOf = (name: string) => path.join(folder, `${labelOf(name)}.plist`);
  const targetOf = (name: string) => `${domain}/${labelOf(name)}`;
  const run = async (file: string, ...args: string[]) => {
    try {
      return (await execute(file, args, { signal, timeout: 120_000 })).stdout;
    } catch (error) {
      const words = printable((error as { stderr?: string }).stderr || String(error)).slice(0, 500);
      throw new ReeveError('conflict', `${path.basename(file)} ${args.join(' ')} failed: ${words}`, {
        cause: error,
      });
    }
  };
  const launchctl = (...args: string[]) => run('/bin/launchctl', ...args);
  return {
    install(definition) {
      const { name, state } = definition;
      const file = fileOf(name);
      return [
        {
          words: `make the state directory ${state}`,
          async carryOut() {
            mkdirSync(state, { recursive: true, mode: 0o700 });
            if (!user) await run('/usr/sbin/chown', '-R', 'nobody', state);
            return undefined;
          },
        },
        {
          words: `write ${file}`,
          carryOut() {
            mkdirSync(folder, { recursive: true });
            writeFileSync(file, renderPlist(definition), { mode: 0o644 });
            return undefined;
          },
          undo: () => rmSync(file, { force: true }),
        },
        {
          words: `launchctl bootstrap ${domain}`,
          carryOut: async () => void (await launchctl('bootstrap', domain, file)),
        },
      ];
    },
    uninstall: (name) => [
      {
        words: `launchctl bootout ${targetOf(name)}`,
        async carryOut() {
          if (!existsSync(fileOf(name))) return false;
          await launchctl('bootout', targetOf(name));
          return true;
        },
      },
      { words: `remove ${fileOf(name)}`, carryOut: () => void rmSync(fileOf(name), { force: true }) },
    ],
    start: async (name) => void (await launchctl('kickstart', targetOf(name))),
    // It ends with 0, after which KeepAlive leaves it alone.
    stop: async (name) => void (await launchctl('kill', 'SIGTERM', targetOf(name))),
    reload: async (name) => void (await launchctl('kill', 'SIGHUP', targetOf(name))),
    async status(name) {
      const installed = existsSync(fileOf(name));
      const text = installed ? await launchctl('print', targetOf(name)).catch(() => '') : '';
      const state = /^\s*state = (.+)$/m.exec(text)?.[1] ?? null;
      const pid = Number(/^\s*pid = (\d+)$/m.exec(text)?.[1] ?? 0);
      return { name, installed, state, running: state === 'running', pid: pid || null };
    },
  };
}
