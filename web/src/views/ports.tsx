// Ports: every socket that owns one on a single axis, the ranges that mean something, and what can be done about one.
import { useComputed, useSignal } from '@preact/signals';
import { count } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import { useFetched } from '../parts/fetched.ts';
import { LongTable } from '../parts/long-table.tsx';
import { Badge } from '../parts/state.tsx';
import { status } from '../state/live.ts';
import { matches, namesOf, portRows, type Ranges } from '../state/ports.ts';
import { linkTo, subject } from '../state/route.ts';
import type { LeaseRecord, WhoRecord } from '../state/types.ts';
import { PortDialog } from './port-dialog.tsx';
import { PortMap } from './port-map.tsx';

export function Ports() {
  const search = useSignal('');
  const span = useSignal<[number, number]>([0, 65_535]);
  const who = useFetched<WhoRecord>('/api/v1/who', 3000);
  const ranges = useFetched<Ranges>('/api/v1/ranges', 30_000);
  const leases = useFetched<LeaseRecord>('/api/v1/leases', 5000);
  // As text, which stays the same while only numbers of the status change: thousands of rows hang on it.
  const names = useComputed(() => JSON.stringify(namesOf(status.value)));
  const rows = useComputed(() =>
    portRows(who.value.data?.sockets ?? [], leases.value.data?.leases ?? [], JSON.parse(names.value)),
  );
  const found = useComputed(() => {
    const [from, to] = span.value;
    return rows.value.filter((row) => row.port >= from && row.port <= to && matches(row, search.value));
  });
  const opened = /^\d+$/.test(subject.value) ? Number(subject.value) : null;
  return (
    <>
      <div class="toolbar">
        <h2>{t('nav.ports')}</h2>
        <input
          class="input"
          type="search"
          placeholder={t('ports.search')}
          aria-label={t('ports.search')}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
        <span class="note" role="status">
          {t('ports.count', { found: count(found.value.length), all: count(rows.value.length) })}
        </span>
      </div>
      {who.value.error !== null && <p class="banner tone-warn">{t('failed', { why: who.value.error })}</p>}
      <PortMap rows={rows.value} found={found.value} ranges={ranges.value.data} span={span} />
      {ranges.value.data?.user.elevated === false && <p class="note map-note">{t('ports.notElevated')}</p>}
      <LongTable
        name="sockets"
        label={t('ports.table')}
        columns={7}
        rows={found.value}
        by={(row) => row.key}
        rowClass={(row) => (row.isOurs ? 'ours' : '')}
        head={
          <tr>
            <th class="r">{t('port')}</th>
            <th class="wide-only">{t('protocol')}</th>
            <th>{t('address')}</th>
            <th class="wide-only">{t('state')}</th>
            <th>{t('holder')}</th>
            <th class="wide-only">{t('user')}</th>
            <th>{t('knownAs')}</th>
          </tr>
        }
      >
        {(row) => (
          <>
            <th scope="row" class="r num">
              <a href={linkTo('ports', String(row.port))} aria-label={t('port.open', { port: row.port })}>
                {row.port}
              </a>
            </th>
            <td class="wide-only">{row.protocol}</td>
            <td>
              {row.protocol === 'udp' && <span class="narrow-only note">udp </span>}
              <code>{row.address}</code>
            </td>
            <td class="wide-only">{word('socket', row.state)}</td>
            <td title={row.holder}>
              {row.holder === '' ? <span class="note">{row.socket && t('hidden')}</span> : row.holder}
            </td>
            <td class="wide-only">{row.user}</td>
            <td>{row.known !== '' && <Badge tone="info">{row.known}</Badge>}</td>
          </>
        )}
      </LongTable>
      {opened !== null && (
        <PortDialog key={opened} port={opened} rows={rows.value.filter(({ port }) => port === opened)} />
      )}
    </>
  );
}
