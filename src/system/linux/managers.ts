// Stops what would otherwise come back: systemd units and containers, by their own programs.
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { errorMessage, ReeveError } from '../../core/errors.ts';
import type { Managers } from '../managers.ts';
import { runManager } from './manager-command.ts';

/** Characters of a unit's name (systemd.unit(5)); a slash parts a user's manager from its unit. */
const unitName = /^(?:user@(\d{1,10})\.service\/)?([\w:.\\@-]{1,255}\.[a-z]+)$/;
/** What Docker and Podman take for a container's name or id. */
const containerName = /^[a-zA-Z0-9][\w.-]{0,254}$/;

const runtimes = ['docker', 'podman'] as const;

/** `searchPath`: where programs are looked for, as in the environment variable PATH. */
export function createManagers(searchPath: string): Managers {
  const find = (program: string) => findProgram(program, searchPath);

  return {
    async stopUnit(unit, signal) {
      const { program, args } = unitCommand(unit);
      const file = find(program);
      if (!file) throw missing(`unit ${unit}`, program);
      // Without a person to ask, polkit's refusal is the answer.
      await runManager({ file, args: ['--no-ask-password', ...args] }, `stop the unit ${unit}`, signal);
    },
    async stopContainer(id, signal) {
      const args = containerArguments(id);
      const files = runtimes.map(find).filter((file) => file !== null);
      if (files.length === 0) throw missing(`container ${id}`, runtimes.join(' or '));
      for (const [i, file] of files.entries()) {
        try {
          return await runManager({ file, args }, `stop the container ${id}`, signal);
        } catch (error) {
          // Where both runtimes are installed, it may be the other one's.
          if (i === files.length - 1 || !/no such container/i.test(errorMessage(error))) throw error;
        }
      }
    },
    stopUnitCommand(unit) {
      const { program, args } = unitCommand(unit);
      return [program, ...args].map(quoted).join(' ');
    },
    stopContainerCommand(id) {
      const program = runtimes.find((name) => find(name) !== null) ?? runtimes[0];
      return [program, ...containerArguments(id)].join(' ');
    },
  };
}

function unitCommand(unit: string): { program: string; args: string[] } {
  const [, uid, name] = unitName.exec(unit) ?? [];
  if (name === undefined) {
    throw new ReeveError('usage', `'${unit}' is not the name of a systemd unit, such as nginx.service`);
  }
  if (uid === undefined) return { program: 'systemctl', args: ['stop', '--', name] };
  const whose = Number(uid) === process.geteuid?.() ? [] : [`--machine=${uid}@.host`];
  return { program: 'systemctl', args: ['--user', ...whose, 'stop', '--', name] };
}

function containerArguments(id: string): string[] {
  if (!containerName.test(id)) {
    throw new ReeveError('usage', `'${id}' is not the name or the id of a container`);
  }
  return ['stop', '--', id];
}

/** For a shell: names of units may hold the backslashes of systemd's own escapes (`a\x2db.service`). */
function quoted(word: string): string {
  return word.includes('\\') ? `'${word}'` : word;
}

function missing(what: string, program: string): ReeveError {
  return new ReeveError('unsupported', `cannot stop the ${what}: ${program} is not installed here`, {
    hint: `Stop it where it is managed, or install ${program}`,
  });
}

function findProgram(program: string, searchPath: string): string | null {
  for (const folder of searchPath.split(path.delimiter)) {
    const file = path.join(folder, program);
    try {
      // An empty or relative folder would run a program from wherever this happens to be started.
      if (!path.isAbsolute(folder)) continue;
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
