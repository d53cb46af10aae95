// The weight of a target, and the dialog that gives it another.
import { useSignal } from '@preact/signals';
import { percent } from '../format.ts';
import { t } from '../i18n/index.ts';
import { Act } from '../parts/act.tsx';
import { Dialog } from '../parts/dialog.tsx';
import type { TargetStatus } from '../state/types.ts';

interface Props {
  listener: string;
  row: TargetStatus;
  name: string;
  /** Of the targets of its tier; null where there is no other. */
  share: number | null;
}

export function Weight({ listener, row, name, share }: Props) {
  const isOpen = useSignal(false);
  const asked = useSignal(row.weight);
  const { weight, effectiveWeight } = row;
  const open = () => {
    asked.value = weight;
    isOpen.value = true;
  };
  const close = () => {
    isOpen.value = false;
  };
  const body = { listener, target: row.id };
  const slow = effectiveWeight < weight;
  const shown = slow ? `${Math.round(effectiveWeight)}/${weight}` : weight;
  const about = t(slow ? 'weight.slow' : 'weight.about', { weight, now: Math.round(effectiveWeight) });
  return (
    <span class="target-number" title={about}>
      <span class="label">{t('weight')}</span>
      <span class="num">
        <button
          type="button"
          class="link num"
          onClick={open}
          aria-label={t('weight.change', { name, weight: shown })}
        >
          {shown}
        </button>
        {share !== null && <span class="note"> · {percent(share)}</span>}
      </span>
      {isOpen.value && (
        <Dialog title={t('weight.of', { name })} onClose={close}>
          <div class="form">
            <p class="note">{about}</p>
            <label for="weight">{t('weight.new')}</label>
            <input
              id="weight"
              class="input"
              type="number"
              min="0"
              max="256"
              value={asked.value}
              onInput={({ currentTarget: { valueAsNumber } }) => {
                if (!Number.isNaN(valueAsNumber)) asked.value = valueAsNumber;
              }}
            />
            <p class="buttons">
              <Act
                path="/api/v1/weight"
                body={{ ...body, weight: asked.value }}
                class="primary"
                done={t('weight.set', { name, weight: asked.value })}
                onDone={close}
              >
                {t('weight.give')}
              </Act>
              <Act
                path="/api/v1/weight"
                body={{ ...body, weight: null }}
                done={t('weight.back', { name })}
                onDone={close}
              >
                {t('weight.configured')}
              </Act>
            </p>
          </div>
        </Dialog>
      )}
    </span>
  );
}
