// Traffic: from each listener to its targets, how much goes where, and who gets none and why.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { count, latency, perSecond, rate } from '../format.ts';
import { t } from '../i18n/index.ts';
import { Chart, type Range, RangeButtons } from '../parts/chart.tsx';
import { Each } from '../parts/each.tsx';
import { Sampled } from '../parts/live-text.tsx';
import { MaintainButton, MaintainedUntil } from '../parts/maintain.tsx';
import { Near } from '../parts/near.tsx';
import { Empty } from '../parts/section.tsx';
import { Badge, State } from '../parts/state.tsx';
import { stateOf } from '../state/listener-state.ts';
import { status } from '../state/live.ts';
import { linkTo, subject } from '../state/route.ts';
import type { ListenerStatus } from '../state/types.ts';
import { FlowLines } from './flow-lines.tsx';
import { TargetRow } from './target-row.tsx';

export function Traffic() {
  const search = useSignal('');
  const rows = status.value!.listeners.filter(({ name, targets }) => {
    const text = search.value.toLowerCase();
    return (
      name.toLowerCase().includes(text) ||
      targets.some(({ id, instance }) => `${id} ${instance}`.includes(text))
    );
  });
  const isMany = rows.length > mostDrawn;
  useEffect(() => {
    document.getElementById(`flow-${subject.value}`)?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <>
      <div class="toolbar">
        <h2>{t('nav.traffic')}</h2>
        <input
          class="input"
          type="search"
          placeholder={t('traffic.search')}
          aria-label={t('traffic.search')}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
        <span class="legend">
          <State of="up" />
          <State of="down" />
          <State of="draining" />
          <State of="ejected" />
          <State of="unknown" />
        </span>
      </div>
      {rows.length === 0 && <Empty>{t('listeners.none')}</Empty>}
      <Each of={rows} by={(row) => row.name} also={`${subject.value} ${isMany}`}>
        {(row) => <Flow row={row} isOpen={row.name === subject.value} isOneOfMany={isMany} />}
      </Each>
    </>
  );
}

/** A service that the registry alone knows is not this daemon's to look after. */
const isOurs = (service: string) => status.peek()!.services.some(({ name }) => service === `service/${name}`);

/** More than this are drawn only where one looks. */
const mostDrawn = 24;

function Flow({ row, isOpen, isOneOfMany }: { row: ListenerStatus; isOpen: boolean; isOneOfMany: boolean }) {
  return (
    <article class={`card flow ${isOneOfMany ? 'calm' : ''}`} id={`flow-${row.name}`} aria-label={row.name}>
      {isOneOfMany && !isOpen ? (
        <Near height={24 + Math.max(116, 48 * row.targets.length)} instead={<h3>{row.name}</h3>}>
          {() => <FlowBody row={row} isOpen={isOpen} />}
        </Near>
      ) : (
        <FlowBody row={row} isOpen={isOpen} />
      )}
      {isOpen && <Details row={row} />}
    </article>
  );
}

function FlowBody({ row, isOpen }: { row: ListenerStatus; isOpen: boolean }) {
  const series = `listener/${row.name}`;
  const [kind, end = ''] = row.serves.split('/');
  const isBalanced = kind !== 'sink' && kind !== 'handler';
  return (
    <div class="flow-body">
      <div class="flow-source">
        <header>
          <h3>
            <a href={isOpen ? linkTo('traffic') : linkTo('traffic', row.name)} aria-expanded={isOpen}>
              {row.name}
            </a>
          </h3>
          <State of={stateOf(row)} />
          {row.panic && <Badge tone="down">{t('panic')}</Badge>}
          {row.waiting > 0 && <Badge tone="warn">{t('queued', { count: count(row.waiting) })}</Badge>}
        </header>
        {row.binds.map(({ address }) => (
          <code key={address}>{address}</code>
        ))}
        <p class="flow-rate">
          <span class="value">
            <Sampled series={series} field="opened" as={perSecond} />
          </span>{' '}
          <span class="label">{t('newEach')}</span>
          <span class="label">
            {count(row.connections.active)} {t('openNow')}
          </span>
        </p>
        <p class="note">
          ↓ <Sampled series={series} field="received" as={rate} /> ↑{' '}
          <Sampled series={series} field="sent" as={rate} />
        </p>
        {row.serves.startsWith('service/') && isOurs(row.serves) && (
          <p class="note">
            {row.serves} <MaintainButton subject={row.serves} name={row.serves.slice(8)} />
            <MaintainedUntil subject={row.serves} />
          </p>
        )}
      </div>
      {isBalanced ? (
        <>
          <FlowLines listener={row.name} targets={row.targets} />
          <ul class="flow-targets" aria-label={t('targets.of', { name: row.name })}>
            {row.targets.map((target) => (
              <TargetRow key={target.id} listener={row.name} row={target} all={row.targets} />
            ))}
            {row.targets.length === 0 && <li class="target note">{t('targets.none')}</li>}
          </ul>
        </>
      ) : (
        <>
          <FlowLines listener={row.name} targets={[]} tone="up" />
          <ul class="flow-targets">
            {kind === 'sink' ? <SinkTarget name={end} /> : <HandlerTarget name={end} />}
          </ul>
        </>
      )}
    </div>
  );
}

function HandlerTarget({ name }: { name: string }) {
  return (
    <li class="target">
      <State of="up" />
      <strong>{name}</strong>
      <span class="note">{t('handler')}</span>
    </li>
  );
}

function SinkTarget({ name }: { name: string }) {
  const sink = status.value!.sinks.find((each) => each.name === name);
  return (
    <li class="target">
      <State of={sink?.failure ? 'down' : 'up'} />
      <strong>{name}</strong>
      <span class="note">
        {t('sink')} · {sink?.kind}
      </span>
      <span class="spacer" />
      <span class="note">{t('records', { count: count(sink?.delivered) })}</span>
    </li>
  );
}

function Details({ row }: { row: ListenerStatus }) {
  const range = useSignal<Range>('10m');
  const series = `listener/${row.name}`;
  return (
    <div class="flow-details">
      <div class="toolbar">
        <RangeButtons
          value={range.value}
          onChange={(next) => {
            range.value = next;
          }}
        />
      </div>
      <div class="chart-grid">
        <figure>
          <figcaption class="label">{t('connections')}</figcaption>
          <Chart
            {...{ series, range: range.value, label: t('chart.connections', { name: row.name }) }}
            lines={[
              { field: 'active', label: 'open', colour: '--series-1' },
              { field: 'opened', label: 'newPerSecond', colour: '--series-2' },
              { field: 'refused', label: 'refusedPerSecond', colour: '--down' },
            ]}
            as={perSecond}
          />
        </figure>
        <figure>
          <figcaption class="label">{t('bytes')}</figcaption>
          <Chart
            {...{ series, range: range.value, label: t('chart.bytes', { name: row.name }) }}
            lines={[
              { field: 'received', label: 'in', colour: '--series-3' },
              { field: 'sent', label: 'out', colour: '--series-1' },
            ]}
            as={rate}
          />
        </figure>
        <figure>
          <figcaption class="label">{t('connect')}</figcaption>
          <Chart
            {...{ series, range: range.value, label: t('connect.about') }}
            lines={[
              { field: 'connectP50', label: 'p50', colour: '--series-1' },
              { field: 'connectP99', label: 'p99', colour: '--series-2' },
            ]}
            as={latency}
          />
        </figure>
        <figure>
          <figcaption class="label">{t('lasts')}</figcaption>
          <Chart
            {...{ series, range: range.value, label: t('lasts.about') }}
            lines={[
              { field: 'durationP50', label: 'p50', colour: '--series-1' },
              { field: 'durationP99', label: 'p99', colour: '--series-2' },
            ]}
            as={latency}
          />
        </figure>
      </div>
    </div>
  );
}
