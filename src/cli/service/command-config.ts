// The configuration for a command that is made a service: one instance, restarted and stopped as every service is.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ReeveError } from '../../core/errors.ts';

const heading = '# Written by reeve service for one command; edit it, and it is not written again.';

export interface CommandSpec {
  name: string;
  command: readonly string[];
  folder: string;
  /** `auto`, or the port that it listens on; absent where it listens on none. */
  port?: string | undefined;
}

/** JSON is YAML. A port of its own for the control API, so that several such services stand beside each other. */
export function commandConfig({ name, command, folder, port }: CommandSpec): string {
  const how =
    port === undefined
      ? // Nobody asks how it does: it is started again when it fails, and done with exit code 0.
        { oneshot: true, ports: {} }
      : { ports: { http: port === 'auto' ? port : portNumber(port) } };
  const services = { [name]: { command, cwd: folder, ...how } };
  const text = JSON.stringify({ control: { listen: '127.0.0.1:0' }, state: './state', services }, null, 2);
  return `${heading}\n${text}\n`;
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new ReeveError('usage', `--port '${text}' is no port: accepted are auto, and 1 to 65535`);
}

/** False where it is there already. @throws ReeveError `conflict` where a file that says something else is in the way. */
export function writeCommandConfig(file: string, text: string): boolean {
  let before: string | null = null;
  try {
    before = readFileSync(file, 'utf8');
  } catch {
    mkdirSync(path.dirname(file), { recursive: true });
  }
  if (before === text) return false;
  if (before !== null)
    throw new ReeveError('conflict', `${file} is there already, and says something else`, {
      hint: 'Remove it, or choose another --name',
    });
  writeFileSync(file, text, { mode: 0o644 });
  return true;
}
