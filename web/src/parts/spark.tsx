// A small chart of the last minutes: paths that follow the samples, and only while they can be seen.
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { recent, window as seconds, tick } from '../state/series.ts';
import { whenInSight } from './in-sight.ts';

export interface SparkLine {
  values(): (number | null)[];
  /** The name of a colour token. */
  colour: string;
  filled?: boolean;
}

interface Props {
  lines: SparkLine[];
  /** What a screen reader says of it. */
  label: string;
  height?: number;
}

/** Of the picture's own measure, which is stretched to the place that it has. */
const [width, tall] = [seconds - 1, 100];

/** Not a canvas: each is a layer of its own to the browser, and hundreds of them make scrolling slow. */
export function Spark({ lines, label, height = 36 }: Props) {
  const picture = useRef<SVGSVGElement>(null);
  const drawn = useRef(lines);
  drawn.current = lines;
  useEffect(() => {
    const element = picture.current!;
    let stop = () => {};
    const leave = whenInSight(element, (isInSight) => {
      stop();
      stop = isInSight
        ? effect(() => {
            void tick.value;
            draw(element, drawn.current);
          })
        : () => {};
    });
    return () => {
      leave();
      stop();
    };
  }, []);
  return (
    <svg
      ref={picture}
      class="spark"
      viewBox={`0 0 ${width} ${tall}`}
      preserveAspectRatio="none"
      style={{ height: `${height}px` }}
      role="img"
      aria-label={label}
    >
      <path class="ground" d={`M0 ${tall}H${width}`} />
      {lines.map(({ colour, filled = false }, i) => (
        <g key={i} style={{ color: `var(${colour})` }}>
          {filled && <path class="area" />}
          <path class="line" />
        </g>
      ))}
    </svg>
  );
}

/** A line for one field of a series. */
export function line(series: string, field: string, colour: string, filled = true): SparkLine {
  return { values: () => recent(series, field), colour, filled };
}

function draw(picture: SVGSVGElement, lines: SparkLine[]): void {
  const all = lines.map((one) => one.values());
  let top = 1e-9;
  for (const values of all) for (const value of values) if (value !== null && value > top) top = value;
  all.forEach((values, i) => {
    const isIdle = !values.some((value) => value);
    const start = width - (values.length - 1);
    const points = isIdle
      ? []
      : values.map(
          (value, at) => `${start + at} ${Math.round(tall - 2 - ((value ?? 0) / top) * (tall - 8))}`,
        );
    const path = points.join('L');
    for (const shape of picture.children[i + 1]?.children ?? []) {
      const isArea = shape.classList.contains('area');
      const d = isIdle ? '' : isArea ? `M${start} ${tall}L${path}L${width} ${tall}Z` : `M${path}`;
      // What stands still is not drawn again.
      if (shape.getAttribute('d') !== d) shape.setAttribute('d', d);
    }
  });
}
