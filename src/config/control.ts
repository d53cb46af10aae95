// Where a daemon is to be found: only what that needs, so that a file with mistakes elsewhere still tells.
import path from 'node:path';
import { errorCode } from '../core/errors.ts';
import { readText } from './document.ts';
import { readUtf8 } from './load.ts';
import { type Config, configSchema } from './schema.ts';
import { plain } from './tree.ts';

export interface ControlPlace extends Pick<Config, 'control' | 'state'> {
  /** What paths are relative to. */
  folder: string;
}

/**
 * Without a name, ./reeve.yaml, and the defaults where there is none: a daemon may have been started elsewhere.
 * @throws ReeveError `config` where a file that was named cannot be read.
 */
export async function loadControl(file: string | undefined, env: NodeJS.ProcessEnv): Promise<ControlPlace> {
  const absolute = path.resolve(file ?? 'reeve.yaml');
  const { control, state } = configSchema.shape;
  let values: Record<string, unknown> = {};
  try {
    const read = plain(readText(await readUtf8(absolute), env).tree);
    if (typeof read === 'object' && read !== null) values = read as Record<string, unknown>;
  } catch (error) {
    const missing = errorCode((error as Error).cause) === 'ENOENT';
    if (file !== undefined || !missing) throw error;
  }
  const place = control.safeParse(values.control);
  const folder = state.safeParse(values.state);
  return {
    folder: path.dirname(absolute),
    control: place.success ? place.data : control.parse(undefined),
    state: folder.success ? folder.data : undefined,
  };
}
