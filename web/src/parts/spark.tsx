// A small chart of the last minutes, drawn on a canvas by every sample, and only while it can be seen.
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { recent, window as seconds, tick } from '../state/series.ts';
import { theme } from '../state/settings.ts';

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

export function Spark({ lines, label, height = 36 }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef(lines);
  drawn.current = lines;
  useEffect(() => {
    const element = canvas.current!;
    let isVisible = false;
    const paint = () => {
      if (isVisible) draw(element, drawn.current);
    };
    const watch = new IntersectionObserver(([entry]) => {
      isVisible = entry?.isIntersecting ?? false;
      paint();
    });
    watch.observe(element);
    const resize = new ResizeObserver(paint);
    resize.observe(element);
    const stop = effect(() => {
      void tick.value;
      void theme.value;
      paint();
    });
    return () => {
      watch.disconnect();
      resize.disconnect();
      stop();
    };
  }, []);
  return (
    <canvas ref={canvas} class="spark" style={{ height: `${height}px` }} role="img" aria-label={label} />
  );
}

/** A line for one field of a series. */
export function line(series: string, field: string, colour: string, filled = true): SparkLine {
  return { values: () => recent(series, field), colour, filled };
}

function draw(canvas: HTMLCanvasElement, lines: SparkLine[]): void {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (width === 0) return;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const pen = canvas.getContext('2d')!;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const all = lines.map((one) => one.values());
  const top = Math.max(1e-9, ...all.flat().map((value) => value ?? 0)) * 1.08;
  pen.strokeStyle = style.getPropertyValue('--line');
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(0, height - 0.5);
  pen.lineTo(width, height - 0.5);
  pen.stroke();
  all.forEach((values, i) => {
    if (!values.some((value) => value)) return;
    const colour = style.getPropertyValue(lines[i]!.colour);
    const step = width / (seconds - 1);
    const start = width - (values.length - 1) * step;
    const y = (value: number) => height - 1 - (value / top) * (height - 3);
    pen.beginPath();
    values.forEach((value, at) => {
      const point = [start + at * step, y(value ?? 0)] as const;
      if (at === 0) pen.moveTo(...point);
      else pen.lineTo(...point);
    });
    pen.strokeStyle = colour;
    pen.lineWidth = 1.4;
    pen.lineJoin = 'round';
    pen.stroke();
    if (!lines[i]!.filled) return;
    pen.lineTo(width, height - 1);
    pen.lineTo(start, height - 1);
    pen.closePath();
    pen.globalAlpha = 0.13;
    pen.fillStyle = colour;
    pen.fill();
    pen.globalAlpha = 1;
  });
}
