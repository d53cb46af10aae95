// What a scan found.
import { formatDuration } from '../../core/quantity.ts';
import type { ScanRecord } from '../../core/records.ts';
import { plural, printable } from '../../core/text.ts';
import type { Io } from '../io.ts';
import { renderTable } from './table.ts';

/** `several`: each line names its host, as there are tables of others. */
export async function renderScan(
  record: ScanRecord,
  { quiet, several }: { quiet: boolean; several: boolean },
  io: Io,
): Promise<void> {
  const { host, open } = record;
  const { colors } = io;
  const banners = open.some(({ banner }) => banner !== null);
  if (open.length > 0) {
    await renderTable(
      [
        ...(several ? [{ title: 'HOST' }] : []),
        { title: 'PORT', align: 'right', style: (text) => colors.cyan(text) },
        { title: 'STATE', style: (text) => colors.green(text) },
        { title: 'USUAL SERVICE' },
        ...(banners ? [{ title: 'SAYS' }] : []),
      ],
      open.map(({ port, service, banner }) => [
        ...(several ? [host] : []),
        String(port),
        'open',
        service ?? '-',
        ...(banners ? [banner ?? '-'] : []),
      ]),
      io,
    );
  }
  if (!quiet) io.out(colors.dim(`${open.length > 0 ? '\n' : ''}${summary(record)}`));
}

function summary({ host, method, counts, ms }: ScanRecord): string {
  // Silence of a UDP port may be an open one that has nothing to say.
  const silent = method === 'udp' ? 'without an answer (open or filtered)' : 'filtered';
  const { open, closed, filtered } = counts;
  return `${printable(host)}: ${open} open, ${closed} closed, ${filtered} ${silent}, in ${formatDuration(ms)}`;
}

/** The last line of a scan of several hosts. */
export function renderScanTotal(records: readonly ScanRecord[], failed: number, io: Io): void {
  const open = records.reduce((sum, { counts }) => sum + counts.open, 0);
  const withOpen = records.filter(({ counts }) => counts.open > 0).length;
  const words = [
    `${plural(records.length, 'host')} scanned`,
    `${plural(open, 'open port')} on ${plural(withOpen, 'host')}`,
  ];
  if (failed > 0) words.push(`${failed} could not be scanned`);
  io.out(io.colors.dim(words.join(', ')));
}
