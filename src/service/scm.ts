// The service that Windows' service control manager is given. Pure: what `reeve service install` hands to it.
import { type ServiceDefinition, stopWithin } from './definition.ts';

export interface ScmDefinition {
  name: string;
  displayName: string;
  description: string;
  /** The command line, quoted. */
  binaryPath: string;
  start: 'automatic' | 'delayed' | 'manual';
  /** A virtual account: it has no password, and no rights but those given to it by name. */
  account: string;
  sidType: 'unrestricted';
  /** Milliseconds until each start after a failure; the last holds for all further ones. */
  restarts: number[];
  /** Seconds without a failure after which it counts from the first again. */
  resetAfter: number;
  /** Also where it said STOPPED with an error, not only where it vanished. */
  restartOnError: true;
  /** Milliseconds that the machine waits for it when shutting down. */
  preshutdown: number;
  /** What the account may change, and what it must read. */
  access: { folder: string; rights: 'modify' | 'read' }[];
}

export function scmDefinition(definition: ServiceDefinition): ScmDefinition {
  const { name, node, script, configFile, state } = definition;
  return {
    name,
    displayName: name === 'portreeve' ? 'Portreeve' : `Portreeve: ${name}`,
    description: definition.description,
    binaryPath: [node, script, 'service', 'run', '--name', name, '--state', state, '-c', configFile]
      .map(windowsArgument)
      .join(' '),
    start: definition.start,
    account: `NT SERVICE\\${name}`,
    sidType: 'unrestricted',
    restarts: [1000, 5000, 30_000],
    resetAfter: 86_400,
    restartOnError: true,
    preshutdown: stopWithin,
    access: [
      { folder: state, rights: 'modify' },
      { folder: folderOf(configFile), rights: 'read' },
      // A Node of one user alone (nvm, fnm) is below that user's profile, which nobody else may read.
      ...[folderOf(node), folderOf(folderOf(script))]
        .filter((folder) => /^[A-Z]:\\Users\\/i.test(folder))
        .map((folder) => ({ folder, rights: 'read' as const })),
    ],
  };
}

export function renderScm(definition: ServiceDefinition): string {
  const scm = scmDefinition(definition);
  const rows: [string, string][] = [
    ['name', scm.name],
    ['display name', scm.displayName],
    ['description', scm.description],
    ['command', scm.binaryPath],
    ['start', scm.start],
    ['account', `${scm.account} (SID type ${scm.sidType})`],
    ['on failure', `restart after ${scm.restarts.map((ms) => `${ms / 1000} s`).join(', ')}`],
    ['', `counted anew after ${scm.resetAfter / 3600} h; also where it stops with an error`],
    ['at shutdown', `waits up to ${scm.preshutdown / 1000} s (preshutdown)`],
    ...scm.access.map(({ folder, rights }): [string, string] => ['access', `${rights}: ${folder}`]),
  ];
  return `${rows.map(([name, value]) => `${name.padEnd(13)}${value}`).join('\n')}\n`;
}

/** As CommandLineToArgvW reads it: backslashes count double before a quote. Always quoted, spaces or not. */
export function windowsArgument(word: string): string {
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(3, file.lastIndexOf('\\')));
}
