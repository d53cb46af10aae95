// Events: what changed, newest first, filtered by kind and text; following them, or standing still to read.
import { useComputed, useSignal } from '@preact/signals';
import { clock, count } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import { Each } from '../parts/each.tsx';
import { Empty } from '../parts/section.tsx';
import type { Tone } from '../parts/state.tsx';
import { events } from '../state/live.ts';
import { linkToSubject } from '../state/route.ts';
import type { RecordedEvent } from '../state/types.ts';

const kinds = [
  'daemon',
  'listener',
  'conflict',
  'instance',
  'restart',
  'health',
  'target',
  'sink',
  'registry',
  'certificate',
  'config',
];

export function Events() {
  const hidden = useSignal<ReadonlySet<string>>(new Set());
  const search = useSignal('');
  /** Where one stands still: the id of the newest event that is shown. */
  const heldAt = useSignal<number | null>(null);
  const shownKinds = useComputed(() => [...new Set([...kinds, ...events.value.map(({ kind }) => kind)])]);
  const found = useComputed(() => {
    const text = search.value.trim().toLowerCase();
    return events.value
      .filter(
        ({ id, kind, subject, message }) =>
          !hidden.value.has(kind) &&
          (heldAt.value === null || id <= heldAt.value) &&
          `${subject} ${message}`.toLowerCase().includes(text),
      )
      .reverse();
  });
  const waiting = heldAt.value === null ? 0 : events.value.filter(({ id }) => id > heldAt.value!).length;
  const toggle = (kind: string) => {
    const next = new Set(hidden.value);
    if (!next.delete(kind)) next.add(kind);
    hidden.value = next;
  };
  return (
    <>
      <div class="toolbar">
        <h2>{t('nav.events')}</h2>
        <input
          class="input"
          type="search"
          placeholder={t('events.search')}
          aria-label={t('events.search')}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
        <button
          type="button"
          class="button"
          aria-pressed={heldAt.value === null}
          onClick={() => {
            heldAt.value = heldAt.value === null ? (events.value.at(-1)?.id ?? 0) : null;
          }}
        >
          {heldAt.value === null ? t('events.following') : t('events.held', { count: waiting })}
        </button>
        <span class="note" role="status">
          {t('events.count', { count: count(found.value.length) })}
        </span>
      </div>
      <fieldset class="toolbar chips" aria-label={t('events.kinds')}>
        {shownKinds.value.map((kind) => (
          <button
            key={kind}
            type="button"
            class="button small"
            aria-pressed={!hidden.value.has(kind)}
            onClick={() => toggle(kind)}
          >
            {word('kind', kind)}
          </button>
        ))}
      </fieldset>
      {found.value.length === 0 ? (
        <Empty>{t('events.none')}</Empty>
      ) : (
        <ol class="plain-list event-list">
          <Each of={found.value} by={({ id }) => String(id)}>
            {(event) => <EventRow event={event} />}
          </Each>
        </ol>
      )}
    </>
  );
}

function EventRow({ event }: { event: RecordedEvent }) {
  const link = linkToSubject(event.subject);
  return (
    <li class={`tone-${toneOfEvent(event)}`}>
      <time class="num note" dateTime={event.time}>
        {clock(event.time)}
      </time>
      <i class="dot" aria-hidden="true" />
      <span class="event-kind">{word('kind', event.kind)}</span>
      <span class="event-subject">{link ? <a href={link}>{event.subject}</a> : event.subject}</span>
      <span class="event-text">{event.message}</span>
    </li>
  );
}

function toneOfEvent({ kind, detail }: RecordedEvent): Tone {
  const state = String(detail.verdict ?? detail.state ?? '');
  if (['down', 'crash-looping'].includes(state)) return 'down';
  if (
    ['conflict', 'restart'].includes(kind) ||
    ['backoff', 'degraded', 'flapping', 'draining'].includes(state)
  )
    return 'warn';
  if (['up', 'ready'].includes(state)) return 'up';
  return kind === 'config' ? 'info' : 'idle';
}
