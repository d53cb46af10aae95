// Aligned columns that fit the terminal.
import type { Io } from '../io.ts';
import { measureFor } from './measure.ts';

export interface Column {
  title: string;
  /** Narrowed when the terminal is too narrow, the widest such column first; others keep their width. */
  flexible?: boolean;
  align?: 'right';
  /** Applied after the cell has its final width. */
  style?: (text: string, row: number) => string;
}

const gap = '  ';
const leastWidth = 8;

export async function renderTable(columns: Column[], rows: string[][], io: Io): Promise<void> {
  const measure = await measureFor(rows);
  const widths = columns.map(({ title }, i) =>
    Math.max(measure.width(title), ...rows.map((row) => measure.width(row[i] ?? ''))),
  );
  if (io.columns !== null) narrow(columns, widths, io.columns);
  const line = (cells: string[], row: number | null) =>
    cells
      .map((cell, i) => {
        const { align, style } = columns[i]!;
        const width = widths[i]!;
        const text = measure.width(cell) > width ? measure.truncate(cell, width) : cell;
        const padding = ' '.repeat(Math.max(0, width - measure.width(text)));
        const last = i === cells.length - 1 && align !== 'right';
        const padded = align === 'right' ? padding + text : last ? text : text + padding;
        return row === null ? io.colors.dim(padded) : style ? style(padded, row) : padded;
      })
      .join(gap)
      .trimEnd();
  const head = columns.map(({ title }) => title);
  // Written at once: three hundred lines one by one take longer than to make them.
  io.out([line(head, null), ...rows.map(line)].join('\n'));
}

function narrow(columns: Column[], widths: number[], available: number): void {
  const total = () => widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
  const flexible = columns.flatMap((column, i) => (column.flexible ? [i] : []));
  while (total() > available) {
    const widest = flexible.filter((i) => widths[i]! > leastWidth).sort((a, b) => widths[b]! - widths[a]!)[0];
    if (widest === undefined) return;
    const second = Math.max(leastWidth, ...flexible.filter((i) => i !== widest).map((i) => widths[i]!));
    // Down to the next widest, or as far as is needed.
    widths[widest] = Math.max(
      leastWidth,
      widths[widest]! - Math.max(1, Math.min(total() - available, widths[widest]! - second)),
    );
  }
}
