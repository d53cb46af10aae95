// A progress bar on a terminal, nothing elsewhere.
import { formatDuration } from '../../core/quantity.ts';
import { plural, printable } from '../../core/text.ts';
import type { Common } from '../define.ts';
import type { Io } from '../io.ts';

export interface Progress {
  /** Whether something is drawn that other output would tear. */
  readonly visible: boolean;
  update(done: number, total: number, open: number): void;
  close(): void;
}

const silent: Progress = { visible: false, update() {}, close() {} };

/** Drawn at most ten times a second, so that drawing never slows the work. */
const redrawMs = 100;

export async function openProgress(io: Io, title: string, common: Common): Promise<Progress> {
  const line = openLine(io, common);
  if (!line) return silent;
  const started = performance.now();
  let last = 0;
  return {
    visible: true,
    update(done, total, open) {
      const now = performance.now();
      if (now - last < redrawMs && done < total) return;
      last = now;
      line.draw(progressLine(title, done, total, open, now - started, line.columns()));
    },
    close: line.close,
  };
}

/** One line of stderr that is drawn again and again; null where nobody sees it. */
function openLine({ host: { stderr, env } }: Io, { json, quiet }: Common) {
  if (json || quiet || !stderr.isTTY || env.TERM === 'dumb') return null;
  let drawn = false;
  return {
    columns: () => stderr.columns || 80,
    draw(text: string) {
      drawn = true;
      stderr.write(`\r\x1b[K${[...text].slice(0, (stderr.columns || 80) - 1).join('')}`);
    },
    close() {
      if (drawn) stderr.write('\r\x1b[K');
    },
  };
}

/** The bar has what the words leave of the line. */
export function progressLine(
  title: string,
  done: number,
  total: number,
  open: number,
  ms: number,
  columns: number,
): string {
  const words = `${title}: ${progressWords(done, total, open, ms)}`;
  const room = Math.min(40, columns - 2 - words.length);
  if (room < 5) return words;
  const full = Math.round((done / Math.max(total, 1)) * room);
  return `${'━'.repeat(full)}${'─'.repeat(room - full)} ${words}`;
}

export interface Spinner {
  say(text: string): void;
  close(): void;
}

/** What lasts for less shows nothing. */
const spinnerAfter = 1000;
const turns = ['|', '/', '-', '\\'];

/** One line on a terminal that says what is waited for, and for how long; gone when it is over. */
export async function openSpinner(io: Io, common: Common, title = 'waiting'): Promise<Spinner> {
  const line = openLine(io, common);
  if (!line) return { say() {}, close() {} };
  const started = performance.now();
  let told = '';
  let turn = 0;
  const timer = setInterval(() => {
    const ms = performance.now() - started;
    if (ms < spinnerAfter) return;
    const spent = formatDuration(Math.floor(ms / 1000) * 1000);
    line.draw(`${turns[turn++ % turns.length]} ${title} ${spent}  ${printable(told)}`);
  }, redrawMs);
  return {
    say(text) {
      told = text;
    },
    close() {
      clearInterval(timer);
      line.close();
    },
  };
}

/** `1200 of 65535 ports, 480/s, 2m 14s left, 3 open`. */
export function progressWords(done: number, total: number, open: number, ms: number): string {
  const words = [`${done} of ${plural(total, 'port')}`];
  if (done > 0 && ms >= 1000) {
    words.push(`${Math.round((done / ms) * 1000)}/s`);
    if (done < total) words.push(`${formatDuration(((total - done) * ms) / done)} left`);
  }
  return [...words, `${open} open`].join(', ');
}
