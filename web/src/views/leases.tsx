// Leases: which port is promised to whom and for how long, and everything that happened to leases.
import { useSignal } from '@preact/signals';
import { clock, duration } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import { useFetched } from '../parts/fetched.ts';
import { Ticking } from '../parts/live-text.tsx';
import { LongTable } from '../parts/long-table.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { Empty, Section } from '../parts/section.tsx';
import { State } from '../parts/state.tsx';
import { linkTo } from '../state/route.ts';
import type { LeaseAuditRecord, LeaseRecord } from '../state/types.ts';

export function Leases() {
  const leases = useFetched<LeaseRecord>('/api/v1/leases', 3000);
  const audit = useFetched<LeaseAuditRecord>('/api/v1/leases/audit?limit=1000', 5000);
  const search = useSignal('');
  const rows = leases.value.data?.leases ?? [];
  const text = search.value.trim().toLowerCase();
  const entries = (audit.value.data?.entries ?? [])
    .filter((entry) =>
      `${entry.name} ${entry.port} ${entry.kind} ${entry.owner.pid}`.toLowerCase().includes(text),
    )
    .reverse();
  const error = leases.value.error ?? audit.value.error;
  return (
    <>
      <div class="toolbar">
        <h2>{t('nav.leases')}</h2>
      </div>
      {error !== null && <p class="banner tone-warn">{t('failed', { why: error })}</p>}
      <Section title={t('leases.now')} note={String(rows.length)}>
        {rows.length === 0 && error === null && <Empty>{t('leases.none')}</Empty>}
        {rows.length > 0 && <Now rows={rows} />}
      </Section>
      <Section
        title={t('leases.audit')}
        note={String(entries.length)}
        aside={
          <input
            class="input"
            type="search"
            placeholder={t('leases.search')}
            aria-label={t('leases.search')}
            value={search.value}
            onInput={(event) => {
              search.value = event.currentTarget.value;
            }}
          />
        }
      >
        <LongTable
          name="audit"
          label={t('leases.audit')}
          columns={6}
          rows={entries}
          by={(entry) => `${entry.at} ${entry.kind} ${entry.name} ${entry.port}`}
          head={
            <tr>
              <th>{t('time')}</th>
              <th>{t('what')}</th>
              <th>{t('name')}</th>
              <th class="r">{t('port')}</th>
              <th class="r">PID</th>
              <th>{t('evidence')}</th>
            </tr>
          }
        >
          {(entry) => (
            <>
              <td class="num">{clock(entry.at)}</td>
              <td>
                <State of={entry.kind} />
              </td>
              <th scope="row">{entry.name}</th>
              <td class="r num">
                <a href={linkTo('ports', String(entry.port))}>{entry.port}</a>
              </td>
              <td class="r num">{entry.owner.pid ?? '–'}</td>
              <td class="note">{evidence(entry.evidence)}</td>
            </>
          )}
        </LongTable>
      </Section>
    </>
  );
}

function Now({ rows }: { rows: LeaseRecord['leases'] }) {
  return (
    <Scroll label={t('leases.now')}>
      <table class="dense">
        <thead>
          <tr>
            <th>{t('name')}</th>
            <th class="r">{t('port')}</th>
            <th>{t('state')}</th>
            <th>{t('owner')}</th>
            <th>{t('granted')}</th>
            <th class="r">{t('expires')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((lease) => (
            <tr key={lease.name + lease.port}>
              <th scope="row">{lease.name}</th>
              <td class="r num">
                <a href={linkTo('ports', String(lease.port))}>{lease.port}</a>
              </td>
              <td>
                <State of={lease.state} />
              </td>
              <td class="num">
                {lease.owner.pid === null ? t('owner.none') : `${lease.owner.host} · ${lease.owner.pid}`}
              </td>
              <td class="num">{clock(lease.grantedAt)}</td>
              <td class="r">
                <Ticking text={(now) => duration(Date.parse(lease.expiresAt) - now)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function evidence(of: Record<string, unknown>): string {
  return Object.entries(of)
    .map(([key, value]) => {
      const said = typeof value === 'string' ? value : JSON.stringify(value);
      return `${word('evidence', key)}: ${key.endsWith('Ms') ? duration(Number(value)) : said}`;
    })
    .join(' · ');
}
