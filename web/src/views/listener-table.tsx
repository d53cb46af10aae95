// Many listeners as a table, of which only the rows in sight are there.
import { useSignal } from '@preact/signals';
import { count, latency, perSecond, rate } from '../format.ts';
import { t } from '../i18n/index.ts';
import { Sampled } from '../parts/live-text.tsx';
import { LongTable } from '../parts/long-table.tsx';
import { line, Spark } from '../parts/spark.tsx';
import { State } from '../parts/state.tsx';
import { stateOf } from '../state/listener-state.ts';
import { linkTo } from '../state/route.ts';
import type { ListenerStatus } from '../state/types.ts';

export function ListenerTable({ rows }: { rows: ListenerStatus[] }) {
  const search = useSignal('');
  const text = search.value.trim().toLowerCase();
  const found = rows.filter(({ name, binds, serves }) =>
    [name, serves, ...binds.map(({ address }) => address)].join(' ').toLowerCase().includes(text),
  );
  return (
    <>
      <div class="toolbar">
        <input
          class="input"
          type="search"
          placeholder={t('listeners.search')}
          aria-label={t('listeners.search')}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
        {text !== '' && (
          <span class="note" role="status">
            {t('listeners.found', { found: count(found.length), all: count(rows.length) })}
          </span>
        )}
      </div>
      <LongTable
        name="many"
        label={t('listeners')}
        columns={10}
        rows={found}
        by={(row) => row.name}
        head={
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
        }
      >
        {(row) => <ListenerCells row={row} />}
      </LongTable>
    </>
  );
}

function ListenerCells({ row }: { row: ListenerStatus }) {
  const series = `listener/${row.name}`;
  const refused = Object.values(row.refused).reduce((sum, each) => sum + each, 0);
  return (
    <>
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
    </>
  );
}
