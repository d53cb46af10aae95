// What is printed once the daemon is ready: what listens where, and how to try it.
import { plural } from '../core/text.ts';
import type { DaemonStatus, ListenerStatus } from './status.ts';

/** Aligned lines without colour: the same on a terminal, in a journal and in a file. */
export function startSummary(status: DaemonStatus): string {
  const rows: string[][] = [];
  for (const is of status.listeners) {
    for (const { address, asked } of is.binds) {
      const moved = address === asked || asked.endsWith(':0') ? '' : ` (asked for ${asked})`;
      rows.push(['listener', is.name, `${address}${moved}`, `to ${is.serves}, ${is.engine} engine`]);
    }
  }
  for (const { name, instances } of status.services) {
    const ports = instances.map(({ ports }) => Object.values(ports).join('/')).filter(Boolean);
    const where = ports.length > 0 ? `on ${ports.join(', ')}` : '';
    rows.push(['service', name, plural(instances.length, 'instance'), where]);
  }
  for (const { name, url } of status.checks) rows.push(['check', name, url, '']);
  for (const { name, kind } of status.sinks) rows.push(['sink', name, kind, '']);
  rows.push(['control', '', `http://${status.control}/`, 'dashboard, API, /healthz, /metrics']);
  const tries = status.listeners.flatMap((is) => (is.binds[0] ? [['try', is.name, tryLine(is)]] : []));
  return `Portreeve ${status.version} is ready (PID ${status.pid})\n\n${align(rows)}\n${align(tries)}\n`;
}

/** A wildcard is no address to connect to. */
function tryLine({ binds, serves }: ListenerStatus): string {
  const bound = binds[0]!.address;
  const udp = bound.startsWith('udp://');
  const address = bound.replace('udp://', '').replace(/^(\[::\]|0\.0\.0\.0):/, 'localhost:');
  if (udp) return `echo hello | nc -u -w 1 ${hostAndPort(address)}`;
  if (!serves.startsWith('sink/')) return `curl http://${address}/`;
  return `echo hello | nc -N ${hostAndPort(address)}`;
}

/** As nc takes them. */
function hostAndPort(address: string): string {
  const at = address.lastIndexOf(':');
  return `${address.slice(0, at).replace(/^\[|\]$/g, '')} ${address.slice(at + 1)}`;
}

function align(rows: string[][]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  return rows
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}
