// A Windows service: made through the service control manager itself, its account's rights by the security API and icacls.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { ReeveError } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import { scmDefinition } from '../../service/index.ts';
import type { System } from '../../system/index.ts';
import type { Installer } from './work.ts';

const execute = promisify(execFile);

export function windowsInstaller(
  { serviceControl: control, privacy }: System,
  signal: AbortSignal,
): Installer {
  if (!control || !privacy) throw new ReeveError('unsupported', 'this system has no service control manager');
  return {
    install(definition) {
      const spec = scmDefinition(definition);
      const { name } = spec;
      const { state } = definition;
      const existed = existsSync(state);
      let created = false;
      return [
        {
          words: `make the state directory ${state}`,
          carryOut: () => mkdirSync(state, { recursive: true }) !== undefined,
          undo: () => (existed ? undefined : removeIfEmpty(state)),
        },
        {
          words: `define the service ${name} as ${spec.account}, start ${spec.start}`,
          // One that is there is brought up to date, and stays when a later step fails.
          carryOut() {
            const outcome = control.install(spec);
            created = outcome === 'created';
            return outcome !== 'same';
          },
          undo: () => (created ? control.remove(name) : undefined),
        },
        {
          words: `name it in the event log`,
          carryOut: () => void control.setEventSource(name, true),
          undo: () => control.setEventSource(name, false),
        },
        ...spec.access.map((each) => ({
          words: `let ${spec.account} ${each.rights} ${each.folder}`,
          // Below ProgramData every user may lay files, which the daemon would take for its own: what it may change
          // is left to it alone.
          carryOut: async () =>
            each.rights === 'modify'
              ? void privacy.leaveTo(name, each.folder)
              : void (await grantReading(each.folder, spec.account)),
        })),
      ];
    },
    uninstall: (name) => [
      {
        words: `stop the service ${name}`,
        async carryOut() {
          const state = control.state(name)?.state;
          if (state === undefined || state === 'stopped') return false;
          await control.stop(name, signal);
          return true;
        },
      },
      {
        words: `remove the service ${name}`,
        carryOut() {
          if (control.state(name) === null) return false;
          control.remove(name);
          return true;
        },
      },
      { words: 'take its name from the event log', carryOut: () => void control.setEventSource(name, false) },
    ],
    start: async (name) => {
      if (control.state(name)?.state !== 'running') await control.start(name, signal);
    },
    stop: async (name) => {
      if (control.state(name)?.state !== 'stopped') await control.stop(name, signal);
    },
    reload: async (name) => control.reload(name),
    async status(name) {
      const found = control.state(name);
      return {
        name,
        installed: found !== null,
        state: found?.state ?? null,
        running: found?.state === 'running',
        pid: found?.pid ?? null,
      };
    },
  };
}

/** What it holds by then, such as a log that tells what went wrong, is worth more than order. */
function removeIfEmpty(folder: string): void {
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

async function grantReading(folder: string, account: string): Promise<void> {
  try {
    const rights = `${account}:(OI)(CI)RX`;
    await execute('icacls', [folder, '/grant', rights], { windowsHide: true, timeout: 60_000 });
  } catch (error) {
    const words = printable((error as { stderr?: string }).stderr || String(error)).slice(0, 500);
    throw new ReeveError('conflict', `icacls cannot give rights on ${folder}: ${words}`, { cause: error });
  }
}
