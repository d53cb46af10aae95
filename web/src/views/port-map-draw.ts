// The strokes of the port map on its canvas, and which of them is under the pointer.
import type { PortRange, PortRow, Ranges } from '../state/ports.ts';

export interface MapView {
  rows: PortRow[];
  /** The rows that a search has found; null: there is no search. */
  found: PortRow[] | null;
  ranges: Ranges | null;
  span: [number, number];
  /** A part that is being marked. */
  marked?: [number, number];
}

const margin = 10;
const bands = { top: 8, height: 16 };
const lanes = {
  tcp: { top: 34, height: 44 },
  udp: { top: 84, height: 26 },
  leased: { top: 116, height: 12 },
};
export const mapHeight = 156;

const laneOf = (row: PortRow) => (row.state === 'leased' ? lanes.leased : lanes[row.protocol]);

export function portAt(canvas: HTMLCanvasElement, x: number, [from, to]: [number, number]): number {
  const share = (x - margin) / (canvas.clientWidth - 2 * margin);
  return Math.round(from + Math.min(1, Math.max(0, share)) * (to - from));
}

/** The row whose stroke is nearest, if one is near. */
export function nearestRow(canvas: HTMLCanvasElement, x: number, y: number, view: MapView): PortRow | null {
  const toX = scale(canvas.clientWidth, view.span);
  let best: PortRow | null = null;
  let distance = 7;
  for (const row of view.found ?? view.rows) {
    const { top, height } = laneOf(row);
    if (y < top - 3 || y > top + height + 3) continue;
    const away = Math.abs(toX(row.port) - x);
    if (away < distance) {
      best = row;
      distance = away;
    }
  }
  return best;
}

function scale(width: number, [from, to]: [number, number]): (port: number) => number {
  const factor = (width - 2 * margin) / Math.max(1, to - from);
  return (port) => margin + (port - from) * factor;
}

export function drawMap(canvas: HTMLCanvasElement, view: MapView): void {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  if (width === 0) return;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(mapHeight * ratio)) canvas.height = Math.round(mapHeight * ratio);
  const pen = canvas.getContext('2d')!;
  const style = getComputedStyle(canvas);
  const known = new Map<string, string>();
  const colour = (name: string) => {
    const value = known.get(name) ?? style.getPropertyValue(name);
    known.set(name, value);
    return value;
  };
  const toX = scale(width, view.span);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, mapHeight);
  pen.save();
  pen.beginPath();
  pen.rect(margin, 0, width - 2 * margin, mapHeight);
  pen.clip();

  for (const { top, height } of Object.values(lanes)) {
    pen.fillStyle = colour('--sunken');
    pen.fillRect(margin, top, width - 2 * margin, height);
  }
  const band = ({ first, last }: PortRange, name: string, alpha = 1) => {
    const [from, to] = [toX(first), toX(last + 1)];
    pen.fillStyle = colour(name);
    pen.globalAlpha = alpha;
    pen.fillRect(from, bands.top, Math.max(1.5, to - from), bands.height);
    pen.globalAlpha = 0.07 * alpha;
    pen.fillRect(
      from,
      lanes.tcp.top,
      Math.max(1, to - from),
      lanes.leased.top + lanes.leased.height - lanes.tcp.top,
    );
    pen.globalAlpha = 1;
  };
  if (view.ranges) {
    const { unprivilegedFrom, pool, ephemeral, excluded, reserved, exclude } = view.ranges;
    pen.fillStyle = colour('--sunken');
    pen.fillRect(margin, bands.top, width - 2 * margin, bands.height);
    if (unprivilegedFrom > 0) band({ first: 0, last: unprivilegedFrom - 1 }, '--warn', 0.6);
    if (ephemeral) band(ephemeral, '--series-2', 0.45);
    band(pool, '--series-1', 0.6);
    for (const range of [...excluded, ...reserved]) band(range, '--down');
    for (const port of exclude) band({ first: port, last: port }, '--down');
  }
  // What a search has not found stays, faintly; reeve's own comes last, and so on top.
  const strokes = (rows: readonly PortRow[], alpha: number) => {
    pen.globalAlpha = alpha;
    const wide = Math.min(6, Math.max(1.25, toX(1) - toX(0) - 1));
    for (const isOurs of [false, true]) {
      for (const row of rows) {
        if (row.isOurs !== isOurs || row.port < view.span[0] || row.port > view.span[1]) continue;
        const left = toX(row.port) - wide / 2;
        if (row.isLeased) {
          pen.fillStyle = colour('--series-2');
          pen.fillRect(left, lanes.leased.top, wide, lanes.leased.height);
        }
        if (!row.socket) continue;
        const { top, height } = laneOf(row);
        pen.fillStyle = colour(isOurs ? '--accent' : '--idle');
        pen.fillRect(left, top, wide, height);
      }
    }
    pen.globalAlpha = 1;
  };
  strokes(view.rows, view.found ? 0.15 : 0.9);
  if (view.found) strokes(view.found, 1);
  if (view.marked) {
    pen.fillStyle = colour('--accent');
    pen.globalAlpha = 0.18;
    pen.fillRect(toX(view.marked[0]), 0, toX(view.marked[1]) - toX(view.marked[0]), mapHeight - 22);
    pen.globalAlpha = 1;
  }
  pen.restore();
  axis(pen, view.span, toX, width, colour);
}

function axis(
  pen: CanvasRenderingContext2D,
  [from, to]: [number, number],
  toX: (port: number) => number,
  width: number,
  colour: (name: string) => string,
): void {
  pen.fillStyle = colour('--muted');
  pen.font = '11px Inter, system-ui, sans-serif';
  pen.textBaseline = 'top';
  const step = niceStep((to - from) / Math.max(2, width / 90));
  for (let port = Math.ceil(from / step) * step; port <= to; port += step) {
    const x = toX(port);
    pen.fillRect(x, 130, 1, 5);
    const text = String(port);
    const half = pen.measureText(text).width / 2;
    pen.fillText(text, Math.min(width - margin - 2 * half, Math.max(margin, x - half)), 139);
  }
  pen.font = '10px Inter, system-ui, sans-serif';
  for (const [text, { top }] of [
    ['TCP', lanes.tcp],
    ['UDP', lanes.udp],
  ] as const) {
    pen.globalAlpha = 0.75;
    pen.fillText(text, margin + 4, top + 4);
    pen.globalAlpha = 1;
  }
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}
