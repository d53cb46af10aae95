// What came of an action, said in a corner for a while and to screen readers.
import { signal } from '@preact/signals';
import type { Tone } from './state.tsx';

const notices = signal<{ id: number; tone: Tone; text: string }[]>([]);
let count = 0;

export function tell(tone: Tone, text: string): void {
  const id = ++count;
  notices.value = [...notices.value, { id, tone, text }].slice(-4);
  setTimeout(() => {
    notices.value = notices.value.filter((notice) => notice.id !== id);
  }, 7000);
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, tone, text }) => (
        <p key={id} class={`notice tone-${tone}`}>
          {text}
        </p>
      ))}
    </div>
  );
}
