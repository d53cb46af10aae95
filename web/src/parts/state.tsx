// A state as a dot in its colour with its word: colour alone tells nobody anything.
import type { ComponentChildren } from 'preact';
import { word } from '../i18n/index.ts';

export type Tone = 'up' | 'warn' | 'down' | 'idle' | 'info';

const tones: Record<string, Tone> = {
  up: 'up',
  ready: 'up',
  listening: 'up',
  finished: 'up',
  free: 'up',
  passing: 'up',
  granted: 'up',
  bound: 'up',
  offered: 'info',
  renewed: 'up',
  moved: 'warn',
  down: 'down',
  'crash-looping': 'down',
  held: 'down',
  refused: 'down',
  critical: 'down',
  stolen: 'down',
  backoff: 'warn',
  degraded: 'warn',
  flapping: 'warn',
  draining: 'warn',
  ejected: 'warn',
  maintenance: 'info',
  starting: 'info',
  waiting: 'info',
  stopping: 'info',
};

export const toneOf = (state: string): Tone => tones[state] ?? 'idle';

interface Props {
  of: string;
  tone?: Tone;
  /** Which words of the catalogue it speaks. */
  words?: string;
}

export function State({ of, tone = toneOf(of), words = 'state' }: Props) {
  return (
    <span class={`state tone-${tone}`}>
      <i class="dot" aria-hidden="true" />
      {word(words, of)}
    </span>
  );
}

export function Badge({ tone = 'idle', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge tone-${tone}`}>{children}</span>;
}
