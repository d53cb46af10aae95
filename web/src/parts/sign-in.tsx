// Signing in with the token, once: until then everything can be read and nothing changed.
import { useSignal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { signIn, tokenFile, wantsSignIn } from '../state/api.ts';
import { Dialog } from './dialog.tsx';

export function SignIn() {
  const token = useSignal('');
  const failure = useSignal('');
  if (!wantsSignIn.value) return null;
  const close = () => {
    wantsSignIn.value = false;
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await signIn(token.value.trim());
      token.value = '';
      failure.value = '';
    } catch (error) {
      failure.value = error instanceof Error ? error.message : String(error);
    }
  };
  return (
    <Dialog title={t('session.title')} onClose={close}>
      <form onSubmit={submit} class="form">
        <p>
          {t('session.where')} <code>{tokenFile.value}</code>
        </p>
        <label for="token">{t('session.token')}</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={token.value}
          onInput={(event) => {
            token.value = event.currentTarget.value;
          }}
        />
        {failure.value !== '' && (
          <p class="tone-down" role="alert">
            {failure.value}
          </p>
        )}
        <button type="submit" class="button primary" disabled={token.value.trim() === ''}>
          {t('session.signIn')}
        </button>
      </form>
    </Dialog>
  );
}
