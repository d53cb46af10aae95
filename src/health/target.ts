// From the configuration to a check: how an address of a service or of a target is probed, and what follows a verdict.
import type { CheckConfig, TargetCheckConfig } from '../config/index.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { AlertPolicy, CheckSpec } from './check.ts';
import type { ProbeOptions } from './outcome.ts';

type Asked = Pick<CheckSpec, 'url' | 'options' | 'definition'>;

/** The port of an instance may be another one after a restart: the definition does not have it. */
export function targetProbe(check: TargetCheckConfig, host: string, port: number): Asked {
  const { http, grpc, exec, udp } = check;
  const at = formatHostPort(host, port);
  const service = typeof grpc === 'string' ? `/${grpc}` : '';
  const url = exec
    ? `exec:${exec.map(quoted).join(' ')}`
    : grpc
      ? `grpc://${at}${service}`
      : http === undefined
        ? `${udp ? 'udp' : 'tcp'}://${at}`
        : `http://${at}${http}`;
  const env = { HOST: host, PORT: String(port) };
  const options = { ...answerOptions(check), ...(exec && { exec: { command: exec, env } }) };
  const definition = JSON.stringify(
    [http, grpc, exec, answerOptions(check), ...(udp ? ['udp'] : [])],
    listed,
  );
  return { url, options, definition };
}

/** For a person, and for `exec:` to be read again. */
function quoted(word: string): string {
  if (/^[^\s'"]+$/.test(word)) return word;
  return word.includes("'") ? `"${word.replaceAll('"', '')}"` : `'${word}'`;
}

const optionNames = [
  'method',
  'headers',
  'status',
  'redirects',
  'send',
  'expect',
  'minDays',
  'ca',
  'insecure',
] as const;

export function answerOptions(
  check: Partial<CheckConfig> | TargetCheckConfig,
): Omit<ProbeOptions, 'timeout'> {
  const all = check as Partial<CheckConfig>;
  return Object.fromEntries(
    optionNames.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])),
  );
}

export function alertPolicy(
  { onDown, onUp, repeat, flap }: Pick<CheckConfig, 'onDown' | 'onUp' | 'repeat' | 'flap'>,
  dependsOn: readonly string[] = [],
): AlertPolicy {
  return { onDown, onUp, repeat: repeat ?? null, flap, dependsOn };
}

const listed = (_key: string, value: unknown) => (value instanceof Set ? [...value] : value);
