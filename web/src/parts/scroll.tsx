// A box for a wide table: it scrolls sideways by itself, by keyboard too.
import type { ComponentChildren } from 'preact';

export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (axe: scrollable-region-focusable)
    <section class="table-box" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
