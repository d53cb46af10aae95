// A number that follows the samples: only its own text changes, not what stands around it.
import { useComputed, useSignal } from '@preact/signals';
import { now } from '../state/live.ts';
import { lastValue, tick } from '../state/series.ts';

interface Props {
  series: string;
  field: string;
  as(value: number | null): string;
}

export function Sampled({ series, field, as }: Props) {
  const text = useComputed(() => {
    void tick.value;
    return as(lastValue(series, field));
  });
  return <span class="num">{text}</span>;
}

/** Text that is made anew every second. */
export function Ticking({ text }: { text(now: number): string }) {
  // What it is made of may have changed as well: a row that is drawn again brings another function.
  const latest = useSignal(text);
  latest.value = text;
  const shown = useComputed(() => latest.value(now.value));
  return <span class="num">{shown}</span>;
}
