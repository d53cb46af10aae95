// Where things are on each system, and what is made a service there: from a few options to a whole definition.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReeveError } from '../../core/errors.ts';
import { type Profile, profiles, type ServiceDefinition, serviceName } from '../../service/index.ts';

export const platforms = ['linux', 'macos', 'windows'] as const;
export type Platform = (typeof platforms)[number];

export interface DefinitionOptions {
  name: string;
  config?: string;
  profile: string;
  user?: boolean;
  start: string;
}

const starts = ['automatic', 'delayed', 'manual'] as const;

/** @throws ReeveError `usage` */
export function definitionOf(
  options: DefinitionOptions,
  platform: Platform,
  here: Platform,
  env: NodeJS.ProcessEnv = {},
): ServiceDefinition {
  const { name, profile, start, user = false } = options;
  const defaults = places(platform, name, user, (platform === here && env.ProgramData) || 'C:\\ProgramData');
  return {
    name: checkName(name),
    description:
      name === 'portreeve'
        ? 'Portreeve: keeps the network ports of this machine in order'
        : `Portreeve (${name}): keeps network ports in order`,
    // What is rendered for another system names the places that are usual there.
    ...(platform === here ? program() : { node: defaults.node, script: defaults.script }),
    configFile:
      options.config === undefined
        ? defaults.configFile
        : platform === here
          ? path.resolve(options.config)
          : options.config,
    state: defaults.state,
    profile: oneOf<Profile>('--profile', profile, profiles),
    user,
    start: oneOf('--start', start, starts),
  };
}

export function platformOf(name: string): Platform {
  if (name === 'linux') return 'linux';
  if (name === 'win32') return 'windows';
  if (name === 'darwin') return 'macos';
  throw new ReeveError(
    'unsupported',
    `services cannot be installed on ${name}: only on Linux, Windows and macOS`,
  );
}

export function oneOf<Word extends string>(option: string, value: string, words: readonly Word[]): Word {
  const word = words.find((each) => each === value);
  if (word) return word;
  throw new ReeveError('usage', `${option} '${value}' is not known: accepted are ${words.join(', ')}`);
}

export function checkName(name: string): string {
  if (serviceName.test(name)) return name;
  throw new ReeveError(
    'usage',
    `'${name}' is no name for a service: accepted are up to 31 lower-case letters, digits and -, a letter first`,
  );
}

/** This very program. */
export function program(): { node: string; script: string } {
  return { node: process.execPath, script: fileURLToPath(new URL('./reeve.cjs', import.meta.url)) };
}

function places(platform: Platform, name: string, user: boolean, programData: string) {
  if (platform === 'windows') {
    const folder = `${programData}\\${name}`;
    return {
      node: 'C:\\Program Files\\nodejs\\node.exe',
      script: 'C:\\Program Files\\nodejs\\node_modules\\portreeve\\dist\\reeve.cjs',
      configFile: `${folder}\\reeve.yaml`,
      state: `${folder}\\state`,
    };
  }
  const usual = platform === 'macos' ? '/usr/local' : '/usr';
  return {
    node: `${usual}/bin/node`,
    script: `${platform === 'macos' ? usual : '/usr/local'}/lib/node_modules/portreeve/dist/reeve.cjs`,
    configFile: user ? path.posix.resolve('reeve.yaml') : `/etc/${name}/reeve.yaml`,
    state:
      platform === 'macos' ? `/usr/local/var/${name}` : user ? `%h/.local/state/${name}` : `/var/lib/${name}`,
  };
}
