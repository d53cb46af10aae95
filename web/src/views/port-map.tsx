// All 65,536 ports on one axis: ranges as bands, sockets as strokes. What it shows stands in the table below as text.
import { effect, type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { PortRow, Ranges } from '../state/ports.ts';
import { linkTo } from '../state/route.ts';
import { theme } from '../state/settings.ts';
import { drawMap, type MapView, nearestRow, portAt } from './port-map-draw.ts';

interface Props {
  rows: PortRow[];
  found: PortRow[];
  ranges: Ranges | null;
  /** First and last port in sight. */
  span: Signal<[number, number]>;
}

const whole: [number, number] = [0, 65_535];

export function PortMap({ rows, found, ranges, span }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const hover = useSignal<{ x: number; text: string } | null>(null);
  const dragged = useRef<number | null>(null);
  const view = useRef<MapView>({ rows, found, ranges, span: span.value });
  view.current = { rows, found: found.length === rows.length ? null : found, ranges, span: span.value };

  useEffect(() => {
    const element = canvas.current!;
    const paint = () => drawMap(element, view.current);
    const resize = new ResizeObserver(paint);
    resize.observe(element);
    const stop = effect(() => {
      void theme.value;
      paint();
    });
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      event.preventDefault();
      span.value = zoomed(
        span.value,
        portAt(element, event.offsetX, span.value),
        event.deltaY > 0 ? 1.4 : 1 / 1.4,
      );
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      resize.disconnect();
      stop();
      element.removeEventListener('wheel', wheel);
    };
  }, []);
  useEffect(() => drawMap(canvas.current!, view.current));

  const point = (event: PointerEvent) => {
    const element = canvas.current!;
    if (dragged.current !== null) {
      const from = portAt(element, dragged.current, span.value);
      const to = portAt(element, event.offsetX, span.value);
      drawMap(element, { ...view.current, marked: [Math.min(from, to), Math.max(from, to)] });
    }
    const row = nearestRow(element, event.offsetX, event.offsetY, view.current);
    const text = row
      ? `${row.protocol}:${row.port} ${row.holder || row.known}`
      : String(portAt(element, event.offsetX, span.value));
    hover.value = { x: event.offsetX, text };
  };
  const release = (event: PointerEvent) => {
    const element = canvas.current!;
    const from = dragged.current;
    dragged.current = null;
    if (from !== null && Math.abs(event.offsetX - from) > 6) {
      const [a, b] = [from, event.offsetX].map((x) => portAt(element, x, span.value)) as [number, number];
      span.value = [Math.min(a, b), Math.max(a, b, Math.min(a, b) + 15)];
      return;
    }
    const row = nearestRow(element, event.offsetX, event.offsetY, view.current);
    if (row) location.hash = linkTo('ports', String(row.port));
  };
  return (
    <div class="card port-map">
      <div class="map-box">
        <canvas
          ref={canvas}
          role="img"
          aria-label={t('map.about')}
          onPointerMove={point}
          onPointerDown={(event) => {
            dragged.current = event.offsetX;
            canvas.current!.setPointerCapture(event.pointerId);
          }}
          onPointerUp={release}
          onPointerLeave={() => {
            hover.value = null;
          }}
        />
        {hover.value && (
          <span class="map-hint num" style={{ left: `${hover.value.x}px` }}>
            {hover.value.text}
          </span>
        )}
      </div>
      <div class="map-foot">
        <fieldset class="group-buttons" aria-label={t('map.zoom')}>
          <Jump span={span} to={whole} text={t('map.all')} />
          <Jump span={span} to={[0, 1023]} text={t('map.wellKnown')} />
          {ranges && <Jump span={span} to={[ranges.pool.first, ranges.pool.last]} text={t('map.pool')} />}
          {ranges?.ephemeral && (
            <Jump
              span={span}
              to={[ranges.ephemeral.first, ranges.ephemeral.last]}
              text={t('map.ephemeral')}
            />
          )}
        </fieldset>
        <span class="num note">
          {span.value[0]}–{span.value[1]}
        </span>
        <span class="spacer" />
        <Legend ranges={ranges} />
      </div>
    </div>
  );
}

function Jump({ span, to, text }: { span: Signal<[number, number]>; to: [number, number]; text: string }) {
  const isHere = span.value[0] === to[0] && span.value[1] === to[1];
  return (
    <button
      type="button"
      class="button small"
      aria-pressed={isHere}
      onClick={() => {
        span.value = to;
      }}
    >
      {text}
    </button>
  );
}

function Legend({ ranges }: { ranges: Ranges | null }) {
  return (
    <ul class="map-legend">
      <li class="key-socket">{t('map.socket')}</li>
      <li class="key-ours">{t('map.ours')}</li>
      <li class="key-leased">{t('map.leased')}</li>
      <li class="key-privileged">{t('map.privileged')}</li>
      <li class="key-pool">{t('map.pool')}</li>
      {ranges?.ephemeral && <li class="key-ephemeral">{t('map.ephemeral')}</li>}
      {ranges && ranges.excluded.length + ranges.reserved.length + ranges.exclude.length > 0 && (
        <li class="key-excluded">{t('map.excluded')}</li>
      )}
    </ul>
  );
}

function zoomed([from, to]: [number, number], at: number, factor: number): [number, number] {
  const width = Math.min(65_535, Math.max(15, (to - from) * factor));
  const share = (at - from) / Math.max(1, to - from);
  const first = Math.round(Math.min(65_535 - width, Math.max(0, at - width * share)));
  return [first, Math.round(first + width)];
}
