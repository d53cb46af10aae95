// What check and wait ask: a URL, or a bare port as short for TCP on this machine.

import { assertProbeUrl, type ProbeOptions, probe } from '../health/index.ts';
import type { Ask } from '../ports/index.ts';

/** `8080`, `:8080` and `host:8080` are TCP endpoints; everything else is a URL already. */
export function asUrl(text: string): string {
  if (/^:?\d+$/.test(text)) return `tcp://localhost:${text.replace(':', '')}`;
  return /^[a-z+]+:/i.test(text) && !/^localhost:\d+$/i.test(text) ? text : `tcp://${text}`;
}

/** @throws ReeveError `usage` at once for a URL that cannot be probed, before any probe is made. */
export async function askOnce(subjects: string[], options: ProbeOptions): Promise<Ask> {
  for (const subject of subjects) assertProbeUrl(asUrl(subject));
  return async (subject, signal) => {
    const url = asUrl(subject);
    const { verdict, ms, reason, detail } = await probe(url, options, signal);
    return { url, verdict, ms: Math.round(ms * 10) / 10, reason, detail };
  };
}
