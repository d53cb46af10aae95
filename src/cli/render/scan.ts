// What a scan found.
import { formatDuration } from '../../core/quantity.ts';
import type { ScanRecord } from '../../core/records.ts';
import type { Io } from '../io.ts';
import { renderTable } from './table.ts';

export async function renderScan(
  { host, open, counts, ms }: ScanRecord,
  quiet: boolean,
  io: Io,
): Promise<void> {
  const { colors } = io;
  if (open.length > 0) {
    await renderTable(
      [
        { title: 'PORT', align: 'right', style: (text) => colors.cyan(text) },
        { title: 'STATE', style: (text) => colors.green(text) },
        { title: 'USUAL SERVICE' },
      ],
      open.map(({ port, service }) => [String(port), 'open', service ?? '-']),
      io,
    );
  }
  if (quiet) return;
  io.out(
    colors.dim(
      `${open.length > 0 ? '\n' : ''}${host}: ${counts.open} open, ${counts.closed} closed, ${counts.filtered} filtered, in ${formatDuration(ms)}`,
    ),
  );
}
