// Maintenance of one subject: until when it lasts, how long it shall last, and the button that ends it early.
import { useSignal } from '@preact/signals';
import { clock, duration } from '../format.ts';
import { t } from '../i18n/index.ts';
import { hour, maintenanceOf, msFor, msUntil } from '../state/maintenance.ts';
import { Act } from './act.tsx';
import { Dialog } from './dialog.tsx';
import { Badge } from './state.tsx';

interface Props {
  /** `service/user-api/0` */
  subject: string;
  /** What a person calls it. */
  name: string;
}

export function MaintainButton({ subject, name }: Props) {
  const isOpen = useSignal(false);
  const order = maintenanceOf(subject);
  // What its service's order covers ends with that one.
  const about = order && order.subject !== subject ? order.subject.replace(/^[^/]*\//, '') : name;
  const open = () => {
    isOpen.value = true;
  };
  const close = () => {
    isOpen.value = false;
  };
  return (
    <>
      <button
        type="button"
        class="button small quiet"
        onClick={open}
        aria-label={t(order ? 'maintain.change.of' : 'maintain.of', { name: about })}
      >
        {t(order ? 'maintain.change' : 'maintain')}
      </button>
      {isOpen.value && (
        <Dialog title={t('maintain.title', { name: about })} onClose={close}>
          <Choices subject={order?.subject ?? subject} name={about} until={order?.until} onDone={close} />
        </Dialog>
      )}
    </>
  );
}

interface ChoicesProps extends Props {
  /** Of the maintenance that there is. */
  until: string | undefined;
  onDone(): void;
}

function Choices({ subject, name, until, onDone }: ChoicesProps) {
  const written = useSignal('');
  const end = useSignal('');
  const begin = (ms: number) => ({
    ...{ path: '/api/v1/maintain', body: { name: subject, forMs: ms }, onDone },
    done: t('maintain.begun', { name, time: duration(ms) }),
  });
  const own = msFor(written.value);
  const rest = msUntil(end.value, Date.now());
  return (
    <div class="form">
      <p class="note">{t('maintain.about')}</p>
      {until !== undefined && (
        <p class="buttons">
          <Badge tone="info">{t('maintain.until', { time: clock(until) })}</Badge>
          <Act
            path="/api/v1/maintain"
            body={{ name: subject, end: true }}
            class="primary"
            label={t('maintain.end.of', { name })}
            done={t('maintain.ended', { name })}
            onDone={onDone}
          >
            {t('maintain.end')}
          </Act>
        </p>
      )}
      <fieldset class="buttons" aria-label={t('maintain.from')}>
        <span class="label">{t('maintain.from')}</span>
        {[hour / 4, hour, 4 * hour, 24 * hour].map((ms) => (
          <Act key={ms} {...begin(ms)}>
            {duration(ms)}
          </Act>
        ))}
      </fieldset>
      <label for="maintain-for">{t('maintain.for')}</label>
      <div class="with-button">
        <input
          id="maintain-for"
          placeholder="2h 30m"
          autocomplete="off"
          spellcheck={false}
          aria-invalid={written.value.trim() !== '' && own === null}
          value={written.value}
          onInput={(event) => {
            written.value = event.currentTarget.value;
          }}
        />
        <Act {...begin(own ?? 0)} disabled={own === null} label={t('maintain.begin.for', { name })}>
          {t('maintain.begin')}
        </Act>
      </div>
      {written.value.trim() !== '' && own === null && (
        <p class="tone-down" role="alert">
          {t('maintain.wrong')}
        </p>
      )}
      <label for="maintain-until">{t('maintain.till')}</label>
      <div class="with-button">
        <input
          id="maintain-until"
          type="datetime-local"
          value={end.value}
          onInput={(event) => {
            end.value = event.currentTarget.value;
          }}
        />
        <Act {...begin(rest ?? 0)} disabled={rest === null} label={t('maintain.begin.until', { name })}>
          {t('maintain.begin')}
        </Act>
      </div>
      {end.value !== '' && rest === null && (
        <p class="tone-down" role="alert">
          {t('maintain.past')}
        </p>
      )}
    </div>
  );
}

/** Nothing where it is not in maintenance. */
export function MaintainedUntil({ subject }: Pick<Props, 'subject'>) {
  const order = maintenanceOf(subject);
  if (!order) return null;
  return <Badge tone="info">{t('maintain.until', { time: clock(order.until) })}</Badge>;
}
