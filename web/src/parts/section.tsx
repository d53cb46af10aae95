// A titled part of a view, and the words for one that has nothing to show.
import type { ComponentChildren } from 'preact';

interface Props {
  title: string;
  /** Beside the title. */
  aside?: ComponentChildren;
  note?: ComponentChildren;
  children: ComponentChildren;
}

export function Section({ title, aside, note, children }: Props) {
  return (
    <section class="section">
      <header class="section-head">
        <h2>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
