// A list whose rows are drawn again only where their data became another.
import { type ComponentChildren, Fragment, type VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { language } from '../state/settings.ts';

interface Props<Row> {
  of: readonly Row[];
  by(row: Row): string;
  children(row: Row): ComponentChildren;
  /** What else the rows show: where it changes, all are drawn. */
  also?: unknown;
}

/** A row's element is kept as long as its data is the same object: Preact passes over elements that it has seen. */
export function Each<Row extends object>({ of, by, children, also }: Props<Row>) {
  const kept = useRef(new Map<string, { row: Row; also: unknown; drawn: VNode }>());
  const context = `${language.value} ${String(also)}`;
  const next = new Map<string, { row: Row; also: unknown; drawn: VNode }>();
  for (const row of of) {
    const key = by(row);
    const old = kept.current.get(key);
    const isSame = old?.row === row && old.also === context;
    next.set(
      key,
      isSame ? old : { row, also: context, drawn: <Fragment key={key}>{children(row)}</Fragment> },
    );
  }
  kept.current = next;
  return <>{[...next.values()].map(({ drawn }) => drawn)}</>;
}
