// One target: its health, what goes there, why it gets nothing, and the buttons that change that.
import { clock, count, perSecond } from '../format.ts';
import { t } from '../i18n/index.ts';
import { Act } from '../parts/act.tsx';
import { Sampled } from '../parts/live-text.tsx';
import { MaintainButton, MaintainedUntil } from '../parts/maintain.tsx';
import { Badge, State } from '../parts/state.tsx';
import { status } from '../state/live.ts';
import { subjectOf } from '../state/maintenance.ts';
import { targetState } from '../state/target-state.ts';
import type { TargetStatus } from '../state/types.ts';
import { Weight } from './weight.tsx';

interface Props {
  listener: string;
  row: TargetStatus;
  all: TargetStatus[];
}

export function TargetRow({ listener, row, all }: Props) {
  const series = `target/${listener}/${row.id}`;
  const state = targetState(row);
  const tier = all.filter(({ backup }) => backup === row.backup);
  const weights = tier.reduce((sum, { weight }) => sum + weight, 0);
  const name = row.instance ?? row.id;
  const subject = subjectOf(listener, row, status.peek()!.services);
  return (
    <li class={`target is-${state}`}>
      <State of={state} />
      <span class="target-name">
        <strong>{name}</strong>
        {row.instance !== null && <code class="note">{row.id}</code>}
      </span>
      <span class="target-badges">
        {row.backup && <Badge tone="info">{t('backup')}</Badge>}
        {row.ejectedUntil !== null && (
          <Badge tone="warn">{t('ejected.until', { time: clock(row.ejectedUntil) })}</Badge>
        )}
        {subject !== null && <MaintainedUntil subject={subject} />}
        {row.failures > 0 && <Badge tone="down">{t('failures', { count: count(row.failures) })}</Badge>}
      </span>
      <Weight
        {...{ listener, row, name }}
        share={tier.length > 1 && weights > 0 ? row.weight / weights : null}
      />
      <span class="target-number">
        <span class="label">{t('open')}</span>
        <span class="num">
          {count(row.connections.active)}
          {row.max !== null && <span class="note"> / {count(row.max)}</span>}
        </span>
      </span>
      <span class="target-number">
        <span class="label">{t('newPerSecond')}</span>
        <Sampled series={series} field="opened" as={perSecond} />
      </span>
      <span class="target-acts">
        <Act
          path="/api/v1/drain"
          body={{ listener, target: row.id, ...(row.draining && { resume: true }) }}
          label={t(row.draining ? 'ready.target' : 'drain.target', { name })}
          class="small"
          done={t(row.draining ? 'readied' : 'drained', { name })}
        >
          {t(row.draining ? 'ready' : 'drain')}
        </Act>
        {subject !== null && <MaintainButton subject={subject} name={name} />}
      </span>
    </li>
  );
}
