// Listeners as cards; where there are many, a table has them.
import { count, latency, perSecond, rate, size } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import { Each } from '../parts/each.tsx';
import { Sampled } from '../parts/live-text.tsx';
import { Empty } from '../parts/section.tsx';
import { line, Spark } from '../parts/spark.tsx';
import { Badge, State } from '../parts/state.tsx';
import { stateOf } from '../state/listener-state.ts';
import { linkTo } from '../state/route.ts';
import type { ListenerStatus } from '../state/types.ts';
import { ListenerTable } from './listener-table.tsx';

/** More than this are rows: a card each would be a long way to scroll. */
const maxCards = 12;

export function Listeners({ rows }: { rows: ListenerStatus[] }) {
  if (rows.length === 0) return <Empty>{t('listeners.none')}</Empty>;
  if (rows.length > maxCards) return <ListenerTable rows={rows} />;
  return (
    <div class="cards">
      <Each of={rows} by={(row) => row.name}>
        {(row) => <ListenerCard row={row} />}
      </Each>
    </div>
  );
}

function ListenerCard({ row }: { row: ListenerStatus }) {
  const series = `listener/${row.name}`;
  const { connect, duration } = row.latency;
  return (
    <article class="card listener" aria-labelledby={`listener-${row.name}`}>
      <header>
        <h3 id={`listener-${row.name}`}>
          <a href={linkTo('traffic', row.name)}>{row.name}</a>
        </h3>
        <State of={stateOf(row)} />
        {row.panic && <Badge tone="down">{t('panic')}</Badge>}
        {row.waiting > 0 && <Badge tone="warn">{t('queued', { count: count(row.waiting) })}</Badge>}
        <span class="spacer" />
        <span class="note" title={row.engineReason}>
          {row.engine}
        </span>
      </header>
      <p class="address">
        {row.binds.map(({ address, asked }) => (
          <span key={asked}>
            <code>{address}</code>
            {asked !== address && <span class="note"> {t('asked', { address: asked })}</span>}
          </span>
        ))}
        <span class="note">→ {row.serves}</span>
      </p>
      <div class="pair">
        <figure>
          <figcaption>
            <span class="label">{t('open')}</span>
            <span>
              <span class="value num">{count(row.connections.active)}</span>
              <span class="label">
                <Sampled series={series} field="opened" as={perSecond} /> {t('newEach')}
              </span>
            </span>
          </figcaption>
          <Spark
            lines={[line(series, 'active', '--series-1'), line(series, 'opened', '--series-2', false)]}
            label={t('chart.connections', { name: row.name })}
          />
        </figure>
        <figure>
          <figcaption class="bytes">
            <span>
              <span class="label">
                <span class="swatch series-3">↓</span> {t('in')}
              </span>
              <Sampled series={series} field="received" as={rate} />
            </span>
            <span>
              <span class="label">
                <span class="swatch series-1">↑</span> {t('out')}
              </span>
              <Sampled series={series} field="sent" as={rate} />
            </span>
          </figcaption>
          <Spark
            lines={[line(series, 'sent', '--series-1'), line(series, 'received', '--series-3')]}
            label={t('chart.bytes', { name: row.name })}
          />
        </figure>
      </div>
      <dl class="grid4">
        <div title={t('connect.about')}>
          <dt>{t('connect')} P50 · P99</dt>
          <dd class="num">{spread(connect)}</dd>
        </div>
        <div title={t('lasts.about')}>
          <dt>{t('lasts')} P50 · P99</dt>
          <dd class="num">{spread(duration)}</dd>
        </div>
        <div>
          <dt>{t('inAll')}</dt>
          <dd class="num">{count(row.connections.total)}</dd>
        </div>
        <div>
          <dt>{t('bytesInAll')}</dt>
          <dd class="num">
            {size(row.bytes.received)} / {size(row.bytes.sent)}
          </dd>
        </div>
      </dl>
      <Refusals row={row} />
    </article>
  );
}

/** `1.2 ms · 8 ms`; a dash where there was nothing to measure. */
const spread = ({ p50, p99 }: ListenerStatus['latency']['connect']) =>
  p50 === null && p99 === null ? '–' : `${latency(p50)} · ${latency(p99)}`;

const goodEnds = new Set(['done', 'idle', 'drained']);

/** Who was turned away, what ended in an error, and datagrams that went no further. */
function Refusals({ row }: { row: ListenerStatus }) {
  const refused = Object.entries(row.refused);
  const failed = Object.entries(row.ended).filter(([reason]) => !goodEnds.has(reason));
  const dropped = Object.entries(row.datagrams?.dropped ?? {});
  if (refused.length + failed.length + dropped.length === 0)
    return <p class="note foot">{t('refused.none')}</p>;
  return (
    <p class="foot">
      {refused.map(([reason, times]) => (
        <Badge key={reason} tone="warn">
          {word('refused', reason)} {count(times)}
        </Badge>
      ))}
      {failed.map(([reason, times]) => (
        <Badge key={reason} tone="down">
          {word('ended', reason)} {count(times as number)}
        </Badge>
      ))}
      {dropped.map(([reason, times]) => (
        <Badge key={reason} tone="down">
          {word('dropped', reason)} {count(times)}
        </Badge>
      ))}
    </p>
  );
}
