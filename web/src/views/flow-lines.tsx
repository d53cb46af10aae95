// The lines from a listener to its targets: as wide as their share of the new connections, in the target's colour.
import { useComputed } from '@preact/signals';
import { toneOf } from '../parts/state.tsx';
import { lastValue, tick } from '../state/series.ts';
import { targetState } from '../state/target-state.ts';
import type { TargetStatus } from '../state/types.ts';

/** As high as a row of the list of targets, in the units of the picture and of the style sheet. */
const rowHeight = 48;

interface Props {
  listener: string;
  targets: TargetStatus[];
  /** Of the one line that there is where no target is: to a sink, or to nothing. */
  tone?: 'up' | 'down';
}

export function FlowLines({ listener, targets, tone = 'down' }: Props) {
  const rows = Math.max(1, targets.length);
  const height = rows * rowHeight;
  return (
    <svg
      class="flow-lines"
      viewBox={`0 0 100 ${height}`}
      height={height}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {targets.length === 0 && <path class={`tone-${tone}`} d={`M0 ${height / 2}H100`} />}
      {targets.map((target, i) => (
        <Line
          key={target.id}
          {...{ listener, target, targets }}
          from={height / 2}
          to={(i + 0.5) * rowHeight}
        />
      ))}
    </svg>
  );
}

interface LineProps {
  listener: string;
  target: TargetStatus;
  targets: TargetStatus[];
  from: number;
  to: number;
}

function Line({ listener, target, targets, from, to }: LineProps) {
  const rateOf = (id: string) => lastValue(`target/${listener}/${id}`, 'opened') ?? 0;
  const width = useComputed(() => {
    void tick.value;
    const own = rateOf(target.id);
    if (own === 0) return 1;
    const all = targets.reduce((sum, { id }) => sum + rateOf(id), 0);
    return 1.5 + 9 * (own / all);
  });
  const name = useComputed(() => {
    void tick.value;
    return rateOf(target.id) > 0 ? 'moving' : 'still';
  });
  const d = `M0 ${from}C50 ${from} 50 ${to} 100 ${to}`;
  return (
    <g class={`tone-${toneOf(targetState(target))}`}>
      <path d={d} stroke-width={width} />
      <path d={d} class={name} />
    </g>
  );
}
