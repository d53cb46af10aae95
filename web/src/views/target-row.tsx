// One target: its health, what goes there, why it gets nothing, and the buttons that change that.
import { count, percent, perSecond } from '../format.ts';
import { t } from '../i18n/index.ts';
import { Act } from '../parts/act.tsx';
import { Sampled } from '../parts/live-text.tsx';
import { Badge, State } from '../parts/state.tsx';
import type { TargetStatus } from '../state/types.ts';

/** The one word that matters most of a target. */
export function targetState(target: TargetStatus): string {
  if (target.maintenance) return 'maintenance';
  if (target.draining) return 'draining';
  if (target.verdict === 'down') return 'down';
  return target.ejected ? 'ejected' : target.verdict;
}

interface Props {
  listener: string;
  row: TargetStatus;
  all: TargetStatus[];
}

export function TargetRow({ listener, row, all }: Props) {
  const series = `target/${listener}/${row.id}`;
  const state = targetState(row);
  const weights = all
    .filter(({ backup }) => backup === row.backup)
    .reduce((sum, { weight }) => sum + weight, 0);
  const name = row.instance ?? row.id;
  return (
    <li class={`target is-${state}`}>
      <State of={state} />
      <span class="target-name">
        <strong>{name}</strong>
        {row.instance !== null && <code class="note">{row.id}</code>}
      </span>
      {row.backup && <Badge tone="info">{t('backup')}</Badge>}
      {row.failures > 0 && <Badge tone="down">{t('failures', { count: count(row.failures) })}</Badge>}
      <span class="spacer" />
      <span class="target-number" title={t('weight.about', { weight: row.weight })}>
        <span class="label">{t('weight')}</span>
        <span class="num">
          {row.weight}
          {all.length > 1 && weights > 0 && <span class="note"> {percent(row.weight / weights)}</span>}
        </span>
      </span>
      <span class="target-number">
        <span class="label">{t('open')}</span>
        <span class="num">{count(row.connections.active)}</span>
      </span>
      <span class="target-number">
        <span class="label">{t('newPerSecond')}</span>
        <Sampled series={series} field="opened" as={perSecond} />
      </span>
      <Act
        path="/api/v1/drain"
        body={{ listener, target: row.id, ...(row.draining && { resume: true }) }}
        label={t(row.draining ? 'ready.target' : 'drain.target', { name })}
        class="small"
        done={t(row.draining ? 'readied' : 'drained', { name })}
      >
        {t(row.draining ? 'ready' : 'drain')}
      </Act>
    </li>
  );
}
