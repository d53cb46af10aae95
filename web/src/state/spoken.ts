// What the daemon says in whole sentences (causes, evidence, remedies), in Chinese by the catalogue of `reeve --lang zh`.
import { effect, signal } from '@preact/signals';
import { language } from './settings.ts';

const inChinese = signal<((text: string) => string) | null>(null);

/** As it came, until the catalogue is there; only whoever reads Chinese loads it. */
export function said(text: string): string {
  return language.value === 'zh' && inChinese.value ? inChinese.value(text) : text;
}

export function loadSpoken(): void {
  const stop = effect(() => {
    if (language.value !== 'zh') return;
    void import('../../../src/cli/lang/translate.ts').then(({ toChinese }) => {
      inChinese.value = toChinese;
      stop();
    });
  });
}
