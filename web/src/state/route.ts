// Which view is shown, kept in the address's fragment so that a view can be linked to and the server needs no routes.
import { computed, signal } from '@preact/signals';

export const views = ['overview', 'traffic', 'ports', 'checks', 'leases', 'events', 'config'] as const;
export type View = (typeof views)[number];

const fragment = signal(location.hash);
window.addEventListener('hashchange', () => {
  fragment.value = location.hash;
});

const parts = computed(() => fragment.value.replace(/^#\/?/, '').split('/').map(decode));
export const view = computed<View>(() => views.find((name) => name === parts.value[0]) ?? 'overview');
/** What the view is about: the name of a listener, a port. */
export const subject = computed(() => parts.value.slice(1).join('/'));

export function linkTo(to: View, about = ''): string {
  return `#/${to}${about === '' ? '' : `/${encodeURIComponent(about)}`}`;
}

/** Where the subject of an event is shown. */
export function linkToSubject(of: string): string | null {
  const [kind, name = ''] = of.split('/');
  if (kind === 'listener' || kind === 'target') return linkTo('traffic', name);
  if (kind === 'check') return linkTo('checks', name);
  if (kind === 'service' || kind === 'sink' || kind === 'daemon') return linkTo('overview');
  return kind === 'config' ? linkTo('config') : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
