// Listeners as cards; where there are many, as rows of one table.
import { count, latency, perSecond, rate, size } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import { Each } from '../parts/each.tsx';
import { Sampled } from '../parts/live-text.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { Empty } from '../parts/section.tsx';
import { line, Spark } from '../parts/spark.tsx';
import { Badge, State } from '../parts/state.tsx';
import { linkTo } from '../state/route.ts';
import type { ListenerStatus } from '../state/types.ts';

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

export const stateOf = ({ binds }: ListenerStatus) =>
  binds.every(({ listening, verified }) => listening && verified !== false) ? 'listening' : 'down';

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
            <span class="value num">{count(row.connections.active)}</span>
            <span class="label">
              <Sampled series={series} field="opened" as={perSecond} /> {t('newEach')}
            </span>
          </figcaption>
          <Spark
            lines={[line(series, 'active', '--series-1'), line(series, 'opened', '--series-2', false)]}
            label={t('chart.connections', { name: row.name })}
          />
        </figure>
        <figure>
          <figcaption>
            <span class="label">{t('bytes')}</span>
            <span class="nowrap">
              <span class="swatch series-3">↓</span> <Sampled series={series} field="received" as={rate} />
            </span>
            <span class="nowrap">
              <span class="swatch series-1">↑</span> <Sampled series={series} field="sent" as={rate} />
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
          <dd class="num">
            {latency(connect.p50)} · {latency(connect.p99)}
          </dd>
        </div>
        <div title={t('lasts.about')}>
          <dt>{t('lasts')} P50 · P99</dt>
          <dd class="num">
            {latency(duration.p50)} · {latency(duration.p99)}
          </dd>
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

function ListenerTable({ rows }: { rows: ListenerStatus[] }) {
  return (
    <Scroll label={t('listeners')}>
      <table class="dense many">
        <thead>
          <tr>
            <th>{t('name')}</th>
            <th>{t('address')}</th>
            <th>{t('state')}</th>
            <th class="r">{t('open')}</th>
            <th class="r">{t('newPerSecond')}</th>
            <th class="r">{t('in')}</th>
            <th class="r">{t('out')}</th>
            <th class="r">{t('connect')} P99</th>
            <th class="r">{t('refused')}</th>
            <th class="chart-cell">{t('recent')}</th>
          </tr>
        </thead>
        <tbody>
          <Each of={rows} by={(row) => row.name}>
            {(row) => <ListenerRow row={row} />}
          </Each>
        </tbody>
      </table>
    </Scroll>
  );
}

function ListenerRow({ row }: { row: ListenerStatus }) {
  const series = `listener/${row.name}`;
  const refused = Object.values(row.refused).reduce((sum, each) => sum + each, 0);
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('traffic', row.name)}>{row.name}</a>
      </th>
      <td>
        <code>{row.binds[0]?.address}</code>
        {row.binds.length > 1 && <span class="note"> +{row.binds.length - 1}</span>}
      </td>
      <td>
        <State of={stateOf(row)} />
      </td>
      <td class="r num">{count(row.connections.active)}</td>
      <td class="r">
        <Sampled series={series} field="opened" as={perSecond} />
      </td>
      <td class="r">
        <Sampled series={series} field="received" as={rate} />
      </td>
      <td class="r">
        <Sampled series={series} field="sent" as={rate} />
      </td>
      <td class="r num">{latency(row.latency.connect.p99)}</td>
      <td class="r num">{count(refused)}</td>
      <td class="chart-cell">
        <Spark
          lines={[line(series, 'opened', '--series-2')]}
          label={t('chart.connections', { name: row.name })}
          height={20}
        />
      </td>
    </tr>
  );
}
