// The launchd property list of the daemon. Pure: what `reeve service install` writes on macOS.
import { type ServiceDefinition, stopWithin } from './definition.ts';

type Value = string | number | boolean | Value[] | { [key: string]: Value };

export function renderPlist(definition: ServiceDefinition): string {
  const { node, script, configFile, state, name, user } = definition;
  const list: Value = {
    Label: labelOf(name),
    ProgramArguments: [node, script, 'up', '--quiet', '-c', configFile],
    RunAtLoad: definition.start !== 'manual',
    // Started again where it failed; one that was told to stop stays down.
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: 10,
    ExitTimeOut: stopWithin / 1000,
    // "Background" would have its network and disk throttled.
    ProcessType: 'Interactive',
    // An account of its own would have to be made by hand.
    ...(user ? {} : { UserName: 'nobody' }),
    WorkingDirectory: folderOf(configFile),
    EnvironmentVariables: {
      PATH: `${folderOf(node)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
      REEVE_STATE: state,
    },
    // launchd takes a decimal number: 077.
    Umask: 0o77,
    SoftResourceLimits: { NumberOfFiles: 65_536 },
    HardResourceLimits: { NumberOfFiles: 65_536 },
    StandardOutPath: `${state}/output.log`,
    StandardErrorPath: `${state}/log.jsonl`,
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    ...element(list, ''),
    '</plist>',
    '',
  ].join('\n');
}

export function labelOf(name: string): string {
  return `dev.portreeve.${name}`;
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(1, file.lastIndexOf('/')));
}

function element(value: Value, indent: string): string[] {
  if (typeof value === 'string') return [`${indent}<string>${escaped(value)}</string>`];
  if (typeof value === 'number') return [`${indent}<integer>${value}</integer>`];
  if (typeof value === 'boolean') return [`${indent}<${value}/>`];
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return [`${indent}<array>`, ...value.flatMap((each) => element(each, deeper)), `${indent}</array>`];
  }
  const entries = Object.entries(value).flatMap(([key, each]) => [
    `${deeper}<key>${escaped(key)}</key>`,
    ...element(each, deeper),
  ]);
  return [`${indent}<dict>`, ...entries, `${indent}</dict>`];
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
