// The options by which check and wait say what a good answer is.
import { type Command, InvalidArgumentError } from 'commander';
import { parseStatuses } from '../core/probe-url.ts';
import type { ProbeOptions } from '../health/index.ts';
import { option, wholeNumber } from './define.ts';

export interface ProbeFlags {
  method?: string;
  header?: Record<string, string>;
  status?: ReadonlySet<number>;
  redirects?: number;
  send?: string;
  expect?: string;
  minDays?: number;
  ca?: string;
  insecure?: boolean;
}

export function withProbeFlags(command: Command): Command {
  return command
    .option('--send <text>', 'TCP, UDP, unix: what is said first; hex:00ff for bytes')
    .option('--expect <text>', 'what the answer, or the body, must hold; /…/ is a regular expression')
    .option('--method <name>', 'HTTP: the method; GET by default')
    .option('--header <name: value>', 'HTTP: a header; may be given again', header)
    .option('--status <list>', 'HTTP: statuses that are healthy, such as 200-299,401', option(parseStatuses))
    .option('--redirects <count>', 'HTTP: how many are followed; 0 by default', wholeNumber(0, 20))
    .option('--min-days <days>', 'TLS: degraded when a certificate ends sooner', wholeNumber(0, 3650))
    .option('--ca <file>', 'TLS: certificates to trust in place of the built-in ones')
    .option('--insecure', 'TLS: accept certificates that do not verify');
}

function header(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7e\x80-\xff]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('write name: value.');
  return { ...before, [name]: value };
}

export function probeOptions(flags: ProbeFlags): Omit<ProbeOptions, 'timeout'> {
  const { method, header, status, redirects, send, expect, minDays, ca, insecure } = flags;
  const all = { method, headers: header, status, redirects, send, expect, minDays, ca, insecure };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
