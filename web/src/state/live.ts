// The one live stream: the status, samples and events as signals, and an honest word when it breaks off.
import { batch, computed, signal } from '@preact/signals';
import { addSample, setFields } from './series.ts';
import type { DaemonStatus, RecordedEvent, Sample } from './types.ts';

export type Connection = 'connecting' | 'live' | 'lost';

export const status = signal<DaemonStatus | null>(null);
export const connection = signal<Connection>('connecting');
/** The daemon's clock (milliseconds) at the last message. */
export const lastSeen = signal(0);
/** Milliseconds since the epoch, about once a second. */
export const now = signal(Date.now());
/** Newest last. */
export const events = signal<RecordedEvent[]>([]);
/** Another daemon answers than the one that this page came from. */
export const isOtherVersion = signal(false);
export const isStale = computed(() => connection.value !== 'live');

const keptEvents = 1000;
/** Milliseconds. The daemon says something every second: silence for longer is a break. */
const silence = 4000;
/** A tab that nobody looks at lets go: a browser has six connections to a host, for all tabs together. */
const hiddenFor = 60_000;

let source: EventSource | null = null;
let lastId = 0;
let heardAt = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
/** Events that have come and are not shown yet. */
const news: RecordedEvent[] = [];
let hidden: ReturnType<typeof setTimeout> | undefined;

interface Hello {
  status: DaemonStatus;
  at: number;
  fields: Record<string, string[]>;
  sample: Sample;
}

interface Patch {
  at: number;
  sample: Sample;
  whole?: DaemonStatus;
  set?: Record<string, unknown>;
  rows?: Record<string, { changed: { name: string }[]; order?: string[] }>;
}

export function startLive(): void {
  open();
  setInterval(() => {
    const quiet = performance.now() - heardAt;
    if (source && connection.value === 'live' && quiet > silence) lose();
    // With each patch the clocks on the page go on by themselves.
    if (quiet > 1200) now.value = Date.now();
  }, 1000);
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(close, hiddenFor);
    else if (!source) open();
  });
}

function open(): void {
  clearTimeout(retry);
  source?.close();
  const mine = new EventSource(`/api/v1/live${lastId > 0 ? `?since=${lastId}` : ''}`);
  source = mine;
  const on = <T>(name: string, take: (data: T) => void) =>
    mine.addEventListener(name, (message) => {
      heardAt = performance.now();
      const data = JSON.parse((message as MessageEvent<string>).data) as T;
      // Whatever a message changes is drawn once.
      batch(() => take(data));
    });
  on<Hello>('hello', (hello) => {
    const before = status.value?.version;
    if (before !== undefined && before !== hello.status.version) isOtherVersion.value = true;
    setFields(hello.fields);
    status.value = hello.status;
    lastSeen.value = hello.at * 1000;
    addSample(hello.at, hello.sample);
    connection.value = 'live';
  });
  on<Patch>('patch', (patch) => {
    status.value = patched(status.value, patch);
    now.value = Date.now();
    lastSeen.value = now.value;
    addSample(patch.at, patch.sample);
    connection.value = 'live';
  });
  on<RecordedEvent>('event', (event) => {
    if (event.id <= lastId) return;
    lastId = event.id;
    if (news.push(event) > 1) return;
    // A thousand come at once to whoever has seen none: a list for each would be a million copies.
    setTimeout(() => {
      events.value = [...events.value, ...news.splice(0)].slice(-keptEvents);
    });
  });
  mine.onerror = () => lose();
}

/** Opened anew rather than left to the browser, which gives up for good where a starting daemon answers with an error. */
function lose(): void {
  close();
  connection.value = 'lost';
  retry = setTimeout(open, 1000);
}

function close(): void {
  source?.close();
  source = null;
  clearTimeout(retry);
}

/** Rows that did not change keep their identity, so that what shows them is not drawn again. */
function patched(before: DaemonStatus | null, patch: Patch): DaemonStatus | null {
  if (patch.whole) return patch.whole;
  if (!before) return before;
  const after: Record<string, unknown> = { ...before, ...patch.set };
  for (const [key, { changed, order }] of Object.entries(patch.rows ?? {})) {
    const old = new Map((after[key] as { name: string }[]).map((row) => [row.name, row]));
    for (const row of changed) old.set(row.name, row);
    after[key] = (order ?? [...old.keys()]).flatMap((name) => old.get(name) ?? []);
  }
  return after as unknown as DaemonStatus;
}
