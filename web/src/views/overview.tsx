// Overview: whether all is well, and everything that runs, at a glance.

import { t } from '../i18n/index.ts';
import { Section } from '../parts/section.tsx';
import { status } from '../state/live.ts';
import { Headline } from './headline.tsx';
import { Listeners } from './listeners.tsx';
import { Aside } from './overview-aside.tsx';
import { Services } from './services.tsx';

export function Overview() {
  const is = status.value!;
  return (
    <>
      <Headline />
      <Section title={t('listeners')} note={String(is.listeners.length)}>
        <Listeners rows={is.listeners} />
      </Section>
      {is.services.length > 0 && (
        <Section title={t('services')} note={String(is.services.length)}>
          <Services rows={is.services} />
        </Section>
      )}
      <Aside />
    </>
  );
}
