// The page around the views: where one is, how things stand, and what can be set.
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { clock, duration } from './format.ts';
import { t } from './i18n/index.ts';
import { Icon } from './parts/icons.tsx';
import { Ticking } from './parts/live-text.tsx';
import { Notices } from './parts/notices.tsx';
import { SignIn } from './parts/sign-in.tsx';
import { State } from './parts/state.tsx';
import { signedIn, signOut, wantsSignIn } from './state/api.ts';
import { connection, isOtherVersion, isStale, lastSeen, status } from './state/live.ts';
import { linkTo, type View, view, views } from './state/route.ts';
import { language, theme } from './state/settings.ts';
import { Checks } from './views/checks.tsx';
import { Configuration } from './views/config.tsx';
import { Events } from './views/events.tsx';
import { Leases } from './views/leases.tsx';
import { Overview } from './views/overview.tsx';
import { Ports } from './views/ports.tsx';
import { Traffic } from './views/traffic.tsx';

const pages: Record<View, ComponentType> = {
  ...{ overview: Overview, traffic: Traffic, ports: Ports, checks: Checks },
  ...{ leases: Leases, events: Events, config: Configuration },
};

export function App() {
  const main = useRef<HTMLElement>(null);
  const Page = pages[view.value];
  const title = t(`nav.${view.value}`);
  useEffect(() => {
    document.title = `${title} · Portreeve`;
  }, [title]);
  return (
    <div class={isStale.value && status.value ? 'app stale' : 'app'}>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        {t('skip')}
      </button>
      <Side />
      <main id="main" ref={main} tabIndex={-1}>
        <Banner />
        <h1 class="hidden">{title}</h1>
        {status.value ? <Page key={view.value} /> : <p class="empty">{t('connecting')}</p>}
      </main>
      <Notices />
      <SignIn />
    </div>
  );
}

function Side() {
  const is = status.value;
  const nav = useRef<HTMLElement>(null);
  // On a phone they are a row that is wider than the page.
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [view.value]);
  return (
    <header class="side-bar">
      <a class="brand" href={linkTo('overview')}>
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>Portreeve</span>
      </a>
      <nav ref={nav} aria-label={t('nav.label')}>
        {views.map((name) => (
          <a key={name} href={linkTo(name)} aria-current={view.value === name ? 'page' : undefined}>
            <Icon name={name} />
            <span>{t(`nav.${name}`)}</span>
          </a>
        ))}
      </nav>
      <div class="side-foot">
        {is && (
          <dl class="facts">
            <div>
              <dt>{t('daemon')}</dt>
              <dd>
                <State of={isStale.value ? 'lost' : is.state} />
              </dd>
            </div>
            <div>
              <dt>{t('version')}</dt>
              <dd>{is.version}</dd>
            </div>
            <div>
              <dt>PID</dt>
              <dd class="num">{is.pid}</dd>
            </div>
            <div>
              <dt>{t('running')}</dt>
              <dd>
                <Ticking text={(now) => duration(now - Date.parse(is.startedAt))} />
              </dd>
            </div>
          </dl>
        )}
        <Settings />
      </div>
    </header>
  );
}

function Settings() {
  const next = { auto: 'light', light: 'dark', dark: 'auto' } as const;
  const icon = { auto: 'auto', light: 'sun', dark: 'moon' } as const;
  return (
    <div class="settings">
      <button
        type="button"
        class="button quiet"
        onClick={() => {
          theme.value = next[theme.value];
        }}
        aria-label={t('theme', { now: t(`theme.${theme.value}`) })}
        title={t('theme', { now: t(`theme.${theme.value}`) })}
      >
        <Icon name={icon[theme.value]} />
      </button>
      <button
        type="button"
        class="button quiet"
        lang={language.value === 'zh' ? 'en' : 'zh-CN'}
        onClick={() => {
          language.value = language.value === 'zh' ? 'en' : 'zh';
        }}
      >
        {language.value === 'zh' ? 'English' : '中文'}
      </button>
      <button
        type="button"
        class="button quiet"
        onClick={() => {
          if (signedIn.value) void signOut();
          else wantsSignIn.value = true;
        }}
      >
        <Icon name="key" />
        {t(signedIn.value ? 'session.signOut' : 'session.signIn')}
      </button>
    </div>
  );
}

/** Says plainly that what is shown is old. */
function Banner() {
  if (isOtherVersion.value) {
    return (
      <p class="banner tone-info" role="status">
        {t('otherVersion')}{' '}
        <button type="button" class="link" onClick={() => location.reload()}>
          {t('reload')}
        </button>
      </p>
    );
  }
  if (connection.value !== 'lost') return null;
  return (
    <p class="banner tone-down" role="status">
      <Icon name="alert" />
      {lastSeen.value > 0 ? t('lost', { time: clock(lastSeen.value) }) : t('neverSeen')}{' '}
      {lastSeen.value > 0 && <Ticking text={(now) => t('ago', { time: duration(now - lastSeen.value) })} />}
    </p>
  );
}
