// Services with their instances: what runs where, what it uses, and why it was started again.
import { useSignal } from '@preact/signals';
import { clock, count, duration, percent, since, size } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import { Act } from '../parts/act.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Each } from '../parts/each.tsx';
import { Sampled, Ticking } from '../parts/live-text.tsx';
import { MaintainedUntil } from '../parts/maintain.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { line, Spark } from '../parts/spark.tsx';
import { State } from '../parts/state.tsx';
import type { InstanceStatus, ServiceStatus } from '../state/types.ts';

export function Services({ rows }: { rows: ServiceStatus[] }) {
  return (
    <Scroll label={t('services')}>
      <table class="dense services">
        <thead>
          <tr>
            <th>{t('instance')}</th>
            <th>{t('state')}</th>
            <th>{t('port')}</th>
            <th class="r">PID</th>
            <th class="r">{t('uptime')}</th>
            <th class="r">{t('restarts')}</th>
            <th class="r">CPU</th>
            <th class="chart-cell">
              <span class="hidden">{t('recent')}</span>
            </th>
            <th class="r">{t('memory')}</th>
            <th>
              <span class="hidden">{t('actions')}</span>
            </th>
          </tr>
        </thead>
        <Each of={rows} by={(row) => row.name}>
          {(row) => <ServiceRows row={row} />}
        </Each>
      </table>
    </Scroll>
  );
}

function ServiceRows({ row }: { row: ServiceStatus }) {
  const up = row.instances.filter(({ state }) => state === 'up' || state === 'finished').length;
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colSpan={9}>
          {row.name} <span class="note">{t('instances.up', { up, all: row.instances.length })}</span>
          {row.instances.length !== row.configured && (
            <span class="note"> · {t('configured', { count: row.configured })}</span>
          )}
          {Object.entries(row.restarts)
            .filter(([, times]) => times > 0)
            .map(([reason, times]) => (
              <span key={reason} class="note">
                {' '}
                · {word('restart', reason)} {count(times)}
              </span>
            ))}
        </th>
        <td class="r">
          <Act
            path="/api/v1/restart"
            body={{ service: row.name }}
            label={t('restart.all', { name: row.name })}
            class="small"
            done={t('restarted', { name: row.name })}
          >
            {t('restart')}
          </Act>
        </td>
      </tr>
      {row.instances.map((instance) => (
        <InstanceRow key={instance.id} service={row.name} row={instance} />
      ))}
    </tbody>
  );
}

function InstanceRow({ service, row }: { service: string; row: InstanceStatus }) {
  const series = `instance/${row.id}`;
  const isOpen = useSignal(false);
  const open = () => {
    isOpen.value = true;
  };
  const close = () => {
    isOpen.value = false;
  };
  const ports = Object.entries(row.ports);
  return (
    <tr>
      <th scope="row">{row.id}</th>
      <td>
        <State of={row.state} /> <MaintainedUntil subject={`service/${row.id}`} />
        {row.state !== 'up' && row.detail !== null && <span class="note detail"> {row.detail}</span>}
        {row.nextStartAt !== null && (
          <span class="note">
            {' '}
            <Ticking text={(now) => t('startsIn', { time: duration(Date.parse(row.nextStartAt!) - now) })} />
          </span>
        )}
      </td>
      <td class="num">
        {ports.map(([name, port]) => (
          <span key={name} class="port">
            {ports.length > 1 && <span class="note">{name} </span>}
            {port}
          </span>
        ))}
      </td>
      <td class="r num">{row.pid ?? '–'}</td>
      <td class="r">
        {row.startedAt === null ? '–' : <Ticking text={(now) => since(row.startedAt, now)} />}
      </td>
      <td class="r">
        {row.restarts === 0 ? (
          <span class="num">0</span>
        ) : (
          <button type="button" class="link num" onClick={open}>
            {count(row.restarts)}
          </button>
        )}
        {isOpen.value && <Restarts row={row} onClose={close} />}
      </td>
      <td class="r">
        <Sampled series={series} field="cpu" as={(value) => (row.pid === null ? '–' : percent(value, 1))} />
      </td>
      <td class="chart-cell">
        <Spark
          lines={[line(series, 'cpu', '--series-2')]}
          label={t('chart.cpu', { name: row.id })}
          height={20}
        />
      </td>
      <td class="r">
        <Sampled series={series} field="memory" as={(value) => (row.pid === null ? '–' : size(value))} />
      </td>
      <td class="r">
        <Act
          path="/api/v1/restart"
          body={{ service, instance: Number(row.id.split('/').at(-1)) }}
          label={t('restart.all', { name: row.id })}
          class="small quiet"
          done={t('restarted', { name: row.id })}
        >
          {t('restart')}
        </Act>
      </td>
    </tr>
  );
}

function Restarts({ row, onClose }: { row: InstanceStatus; onClose(): void }) {
  return (
    <Dialog title={t('restarts.of', { name: row.id })} onClose={onClose}>
      <ol class="timeline">
        {[...row.history].reverse().map(({ at, reason, detail }) => (
          <li key={at}>
            <time class="num">{clock(at)}</time>
            <strong>{word('restart', reason)}</strong>
            <span class="note">{detail}</span>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
