// Reading the configuration's file.
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { maxBytes } from './document.ts';
import { parseConfig } from './parse.ts';
import { formatProblems } from './problems.ts';
import type { Config } from './schema.ts';

export interface LoadedConfig {
  /** Absolute. */
  file: string;
  /** What paths in the configuration are relative to. */
  folder: string;
  config: Config;
}

/** Throws ReeveError `config` with every problem, one `file:line:column: path: message` a line. */
export async function loadConfig(file: string, env: NodeJS.ProcessEnv): Promise<LoadedConfig> {
  const absolute = path.resolve(file);
  const result = parseConfig(await readUtf8(absolute), { file, env });
  if ('problems' in result) throw new ReeveError('config', formatProblems(result.problems));
  return { file: absolute, folder: path.dirname(absolute), config: result.config };
}

export async function readUtf8(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readBounded(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
  if (bytes.length > maxBytes) {
    throw new ReeveError('config', `${file} is longer than ${maxBytes} bytes: is it the configuration?`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ReeveError('config', `${file} is not UTF-8 text`, {
      hint: 'Save it as UTF-8 (Windows PowerShell writes UTF-16 unless told: Out-File -Encoding utf8)',
      cause,
    });
  }
}

/** At most one byte more than is allowed: the file may be a pipe or a device that never ends. */
async function readBounded(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(file, { end: maxBytes })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function cannotRead(file: string, cause: unknown): ReeveError {
  const hint = 'Name the file: -c FILE';
  switch (errorCode(cause)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new ReeveError('config', `there is no configuration at ${file}`, { hint, cause });
    case 'EISDIR':
      return new ReeveError('config', `${file} is a folder, not a configuration`, { hint, cause });
    case 'EACCES':
    case 'EPERM':
      return new ReeveError('privilege', `${file} may not be read by this user`, { cause });
    default:
      return new ReeveError('config', `${file} cannot be read: ${errorMessage(cause)}`, { hint, cause });
  }
}
