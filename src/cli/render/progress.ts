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

export async function openProgress(io: Io, title: string, { json, quiet }: Common): Promise<Progress> {
  if (json || quiet || !io.host.stderr.isTTY) return silent;
  const { progress } = await import('@clack/prompts');
  const bar = progress({ max: 1000, output: io.host.stderr });
  bar.start(title);
  const started = performance.now();
  let drawn = 0;
  let last = 0;
  return {
    visible: true,
    update(done, total, open) {
      const now = performance.now();
      if (now - last < redrawMs && done < total) return;
      last = now;
      const target = Math.floor((done / total) * 1000);
      bar.advance(target - drawn, `${title}: ${progressWords(done, total, open, now - started)}`);
      drawn = target;
    },
    close: () => bar.clear(),
  };
}

export interface Spinner {
  say(text: string): void;
  close(): void;
}

/** What lasts for less shows nothing. */
const spinnerAfter = 1000;
const turns = ['|', '/', '-', '\\'];

/** One line on a terminal that says what is waited for, and for how long; gone when it is over. */
export async function openSpinner(io: Io, { json, quiet }: Common, title = 'waiting'): Promise<Spinner> {
  const { stderr } = io.host;
  if (json || quiet || !stderr.isTTY) return { say() {}, close() {} };
  const started = performance.now();
  let told = '';
  let turn = 0;
  const timer = setInterval(() => {
    const ms = performance.now() - started;
    if (ms < spinnerAfter) return;
    const line = `${turns[turn++ % turns.length]} ${title} ${formatDuration(Math.floor(ms / 1000) * 1000)}  ${printable(told)}`;
    stderr.write(`\r\x1b[K${[...line].slice(0, (stderr.columns || 80) - 1).join('')}`);
  }, redrawMs);
  return {
    say(text) {
      told = text;
    },
    close() {
      clearInterval(timer);
      if (turn > 0) stderr.write('\r\x1b[K');
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
