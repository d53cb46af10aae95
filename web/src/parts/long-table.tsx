// A table of thousands of rows of which only those in sight are there.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Each } from './each.tsx';

interface Props<Row> {
  /** Its class: the style sheet has the widths of its columns, which a row that comes into sight must not change. */
  name: string;
  label: string;
  head: ComponentChildren;
  rows: readonly Row[];
  by(row: Row): string;
  columns: number;
  /** The cells of one row. */
  children(row: Row): ComponentChildren;
  rowClass?(row: Row): string;
}

const rowHeight = 33;
/** Rows that are there above and below those in sight, and how many come at a time. */
const [spare, step] = [10, 4];

export function LongTable<Row extends object>({
  name,
  label,
  head,
  rows,
  by,
  columns,
  children,
  rowClass,
}: Props<Row>) {
  const box = useRef<HTMLElement>(null);
  const first = useSignal(0);
  const shown = useSignal(40);
  useEffect(() => {
    const element = box.current!;
    const look = () => {
      first.value = Math.max(0, Math.floor(element.scrollTop / rowHeight / step) * step - spare);
      shown.value = Math.ceil(element.clientHeight / rowHeight / step + 1) * step + 2 * spare;
    };
    look();
    element.addEventListener('scroll', look, { passive: true });
    const resize = new ResizeObserver(look);
    resize.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      resize.disconnect();
    };
  }, []);
  const from = Math.min(first.value, Math.max(0, rows.length - shown.value));
  const inSight = rows.slice(from, from + shown.value);
  const rest = rows.length - from - inSight.length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (axe: scrollable-region-focusable)
    <section ref={box} class="table-box long-table" aria-label={label} tabIndex={0}>
      <table class={`dense ${name}`} aria-rowcount={rows.length + 1}>
        <thead>{head}</thead>
        <tbody>
          {from > 0 && <Gap rows={from} columns={columns} />}
          <Each of={inSight} by={by} also={rows.length}>
            {(row) => (
              <tr class={rowClass?.(row)} aria-rowindex={from + inSight.indexOf(row) + 2}>
                {children(row)}
              </tr>
            )}
          </Each>
          {rest > 0 && <Gap rows={rest} columns={columns} />}
        </tbody>
      </table>
    </section>
  );
}

function Gap({ rows, columns }: { rows: number; columns: number }) {
  return (
    <tr class="gap">
      <td colSpan={columns} style={{ height: `${rows * rowHeight}px` }} />
    </tr>
  );
}
