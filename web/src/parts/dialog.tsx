// A dialog of the browser's own kind: it keeps the focus, and Escape closes it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { Icon } from './icons.tsx';

interface Props {
  title: string;
  /** At the side of the page, for what belongs to a place on it. */
  side?: boolean;
  onClose(): void;
  children: ComponentChildren;
}

export function Dialog({ title, side = false, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    if (!element.open) element.showModal();
    // Where one writes, or the title: a browser would take the first button, which closes it.
    (element.querySelector('input') ?? element.querySelector('h2'))?.focus();
    return () => element.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={side ? 'dialog side' : 'dialog'}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <div class="dialog-inner">
        <header>
          <h2 tabIndex={-1}>{title}</h2>
          <button type="button" class="button quiet" onClick={onClose} aria-label={t('close')}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
