// A button that changes something: asks for a sign-in where there is none, and says what came of it.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { t } from '../i18n/index.ts';
import { ask, Refusal, signedIn, wantsSignIn } from '../state/api.ts';
import { isStale } from '../state/live.ts';
import { tell } from './notices.tsx';

interface Props {
  path: string;
  body: object;
  children: ComponentChildren;
  /** What a screen reader says where the words alone do not tell what about. */
  label?: string;
  class?: string;
  done?: string;
  disabled?: boolean;
  onDone?(): void;
}

export function Act({
  path,
  body,
  children,
  label,
  class: name = '',
  done,
  disabled = false,
  onDone,
}: Props) {
  const busy = useSignal(false);
  const act = async () => {
    if (!signedIn.value) {
      wantsSignIn.value = true;
      return;
    }
    busy.value = true;
    try {
      await ask(path, body);
      if (done) tell('up', done);
      onDone?.();
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) wantsSignIn.value = true;
      else tell('down', error instanceof Error ? error.message : String(error));
    }
    busy.value = false;
  };
  return (
    <button
      type="button"
      class={`button ${name}`}
      onClick={act}
      disabled={disabled || busy.value || isStale.value}
      aria-label={label}
      title={signedIn.value ? label : t('session.needed')}
    >
      {children}
    </button>
  );
}
