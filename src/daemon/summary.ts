// What is printed once the daemon is ready: what listens where, and how to try it.
import type { DaemonStatus, ListenerStatus } from './status.ts';

/** Aligned lines without colour: the same on a terminal, in a journal and in a file. */
export function startSummary(status: DaemonStatus, tries: Record<string, string>): string {
  const rows: string[][] = [];
  for (const is of status.listeners) {
    for (const { address, asked } of is.binds) {
      const moved = address === asked || asked.endsWith(':0') ? '' : ` (asked for ${asked})`;
      rows.push(['listener', is.name, `${address}${moved}`, serves(is)]);
    }
  }
  for (const { name, instances } of status.services) {
    const ports = instances.map(({ ports }) => Object.values(ports).join('/')).filter(Boolean);
    rows.push([
      'service',
      name,
      `${instances.length} instances`,
      ports.length ? `on ports ${ports.join(', ')}` : '',
    ]);
  }
  for (const { name, url } of status.checks) rows.push(['check', name, url, '']);
  for (const { name, kind } of status.sinks) rows.push(['sink', name, kind, '']);
  rows.push(['control', '', `http://${status.control}/`, 'status page, API, /metrics, /healthz']);
  const hints = Object.entries(tries).map(([name, command]) => ['try', name, command]);
  return `Portreeve ${status.version} is ready (PID ${status.pid}).\n\n${align(rows)}${hints.length ? `\n${align(hints)}` : ''}\n`;
}

function serves({ serves, engine }: ListenerStatus): string {
  return `→ ${serves} (${engine})`;
}

function align(rows: string[][]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  return rows
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}
