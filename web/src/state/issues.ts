// What needs somebody's attention, worst first. Pure.
import type { Key } from '../i18n/index.ts';
import type { DaemonStatus } from './types.ts';

export interface Issue {
  tone: 'down' | 'warn';
  text: Key;
  values: Record<string, string>;
  /** Subject as events name it. */
  subject: string;
}

export function issuesOf(status: DaemonStatus): Issue[] {
  const issues: Issue[] = [];
  const add = (tone: Issue['tone'], text: Key, subject: string, values: Issue['values'] = {}) =>
    issues.push({ tone, text, subject, values: { name: subject.split('/').slice(1).join('/'), ...values } });
  for (const { name, binds, targets, panic, serves } of status.listeners) {
    for (const { address, listening, verified } of binds) {
      if (!listening) add('down', 'issue.notListening', `listener/${name}`, { address });
      else if (verified === false) add('down', 'issue.unverified', `listener/${name}`, { address });
    }
    const usable = targets.filter(
      ({ verdict, draining, ejectedUntil }) => verdict !== 'down' && !draining && ejectedUntil === null,
    );
    if (panic) add('down', 'issue.panic', `listener/${name}`);
    const balances = targets.length > 0 || serves.startsWith('service/');
    if (!panic && balances && usable.length === 0) add('down', 'issue.noTarget', `listener/${name}`);
    for (const { id, verdict, ejectedUntil } of targets) {
      if (usable.length === 0) continue;
      if (verdict === 'down') add('warn', 'issue.targetDown', `listener/${name}`, { target: id });
      else if (ejectedUntil !== null) add('warn', 'issue.targetEjected', `listener/${name}`, { target: id });
    }
  }
  for (const { instances } of status.services) {
    for (const { id, state, detail } of instances) {
      if (['crash-looping', 'down', 'backoff'].includes(state)) {
        add(state === 'backoff' ? 'warn' : 'down', 'issue.instance', `service/${id}`, {
          state,
          detail: detail ?? '',
        });
      }
    }
  }
  for (const { name, verdict, degraded, flapping, detail } of status.checks) {
    if (verdict === 'down') add('down', 'issue.check', `check/${name}`, { detail: detail ?? '' });
    else if (degraded) add('warn', 'issue.check', `check/${name}`, { detail: detail ?? 'degraded' });
    if (flapping) add('warn', 'issue.flapping', `check/${name}`);
  }
  for (const { name, failure } of status.sinks)
    if (failure) add('down', 'issue.sink', `sink/${name}`, { detail: failure });
  const { registry } = status;
  if (registry.state === 'away' || registry.state === 'refused') {
    add('warn', 'issue.registry', 'registry', { detail: registry.detail ?? registry.state });
  }
  return issues.sort((a, b) => Number(a.tone === 'warn') - Number(b.tone === 'warn'));
}
