// Leases and their audit as tables.
import type { LeaseOwner } from '../../core/lease.ts';
import { exactDuration, formatDuration } from '../../core/quantity.ts';
import { plural, printable } from '../../core/text.ts';
import type { AuditEntry, AuditKind, Granted, Lease } from '../../leases/index.ts';
import type { Io } from '../io.ts';
import { renderTable } from './table.ts';

export async function renderLeases(leases: Lease[], quiet: boolean, io: Io): Promise<void> {
  const { colors } = io;
  const now = Date.now();
  if (leases.length > 0) {
    await renderTable(
      [
        { title: 'PORT', align: 'right', style: (text) => colors.cyan(text) },
        { title: 'NAME', flexible: true, style: (text) => colors.bold(text) },
        {
          title: 'STATE',
          style: (text, row) => (leases[row]!.state === 'bound' ? colors.green(text) : text),
        },
        { title: 'OWNER' },
        { title: 'SINCE', align: 'right' },
        { title: 'EXPIRES', align: 'right' },
      ],
      leases.map(({ port, name, state, owner, grantedAt, expiresAt }) => [
        String(port),
        printable(name),
        state,
        ownerWords(owner),
        `${formatDuration(Math.max(0, now - grantedAt))} ago`,
        `in ${formatDuration(Math.max(0, expiresAt - now))}`,
      ]),
      io,
    );
  }
  if (!quiet) io.out(colors.dim(`${leases.length > 0 ? '\n' : ''}${plural(leases.length, 'lease')}`));
}

export async function renderAudit(entries: AuditEntry[], quiet: boolean, io: Io): Promise<void> {
  const { colors } = io;
  const style: Partial<Record<AuditKind, (text: string) => string>> = {
    bound: colors.green,
    moved: colors.yellow,
    refused: colors.yellow,
    stolen: colors.red,
  };
  if (entries.length > 0) {
    await renderTable(
      [
        { title: 'TIME', style: (text) => colors.dim(text) },
        { title: 'WHAT', style: (text, row) => (style[entries[row]!.kind] ?? String)(text) },
        { title: 'PORT', align: 'right', style: (text) => colors.cyan(text) },
        { title: 'NAME', flexible: true },
        { title: 'OWNER' },
        { title: 'EVIDENCE', flexible: true },
      ],
      entries.map(({ at, kind, port, name, owner, evidence }) => [
        new Date(at).toISOString(),
        kind,
        String(port),
        printable(name) || '-',
        ownerWords(owner),
        evidenceWords(evidence),
      ]),
      io,
    );
  }
  if (!quiet && entries.length === 0) io.out(colors.dim('nothing happened'));
}

/** On stderr: stdout is for ports. */
export function renderMoves(leases: readonly Granted[], io: Io): void {
  for (const { name, port, moved } of leases) {
    if (!moved) continue;
    io.err(
      `${io.colors.yellow('moved')} ${printable(name)} from ${moved.from} to ${port}: ${printable(moved.why)}`,
    );
  }
}

function ownerWords({ pid }: LeaseOwner): string {
  return pid === null ? 'nobody' : `process ${pid}`;
}

/** What is known of each, in the order of a sentence; whatever else there is follows as `key=value`. */
function evidenceWords(evidence: Record<string, unknown>): string {
  const { ttlMs, tookOver, times, from, to, ...more } = evidence;
  const { syscall, code, protocol, address, holder, holders, why, ...rest } = more;
  const words = [
    ttlMs === undefined ? null : `for ${exactDuration(Number(ttlMs))}`,
    tookOver === undefined ? null : 'in place of one that no process kept',
    times === undefined ? null : plural(Number(times), 'time'),
    from === undefined ? null : `from ${from} to ${to}:`,
    code === undefined ? null : `${syscall} of ${address} (${protocol}): ${code}`,
    why === undefined ? null : String(why),
    ...[holder, holders].flat().map(holderWords),
    ...Object.entries(rest).map(
      ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
  ];
  return printable(words.filter((word) => word !== null).join(' '));
}

/** Who was on the port: a process of the socket table, or words. */
function holderWords(holder: unknown): string | null {
  if (holder === undefined || holder === null) return null;
  if (typeof holder !== 'object') return `by ${holder}`;
  const { pid, name, address } = holder as { pid?: unknown; name?: unknown; address?: unknown };
  return `by ${name} (PID ${pid})${address === undefined ? '' : ` on ${address}`}`;
}
