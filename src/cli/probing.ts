// What check and wait ask: a URL, or a bare port as short for TCP on this machine.

import { assertProbeUrl, type ProbeOptions, probe } from '../health/index.ts';
import type { Ask } from '../ports/index.ts';
import type { System } from '../system/index.ts';

/** `8080`, `:8080` and `host:8080` are TCP endpoints; everything else is a URL already. */
function asUrl(text: string): string {
  if (/^:?\d+$/.test(text)) return `tcp://localhost:${text.replace(':', '')}`;
  return /^[a-z+]+:/i.test(text) && !/^[\w.-]+:\d+$/i.test(text) ? text : `tcp://${text}`;
}

/** @throws ReeveError `usage` at once for a URL that cannot be probed, before any probe is made. */
export async function askOnce(subjects: string[], options: ProbeOptions): Promise<Ask> {
  const urls = subjects.map(asUrl);
  for (const url of urls) assertProbeUrl(url, options);
  // Only commands need to know the system.
  const system = urls.some((url) => /^exec:/i.test(url)) ? { system: await selectedSystem() } : {};
  return async (subject, signal) => {
    const url = asUrl(subject);
    const found = await probe(url, { ...options, ...system }, signal);
    const { verdict, degraded = false, ms, reason, detail, facts } = found;
    const end = facts?.certificateExpiresAt;
    return {
      url,
      verdict,
      degraded,
      ms: Math.round(ms * 10) / 10,
      reason,
      detail,
      address: facts?.address ?? null,
      certificateExpiresAt: end === undefined ? null : new Date(end).toISOString(),
    };
  };
}

async function selectedSystem(): Promise<System> {
  const { selectSystem } = await import('../system/select.ts');
  return selectSystem();
}
