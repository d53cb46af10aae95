// What a person chose for this browser: theme and language.
import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
export type Language = 'en' | 'zh';

const read = (key: string) => localStorage.getItem(`reeve.${key}`);

export const theme = signal<Theme>((read('theme') as Theme | null) ?? 'auto');
export const language = signal<Language>(
  (read('language') as Language | null) ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'),
);

export function applySettings(): void {
  effect(() => {
    const root = document.documentElement;
    if (theme.value === 'auto') delete root.dataset.theme;
    else root.dataset.theme = theme.value;
    localStorage.setItem('reeve.theme', theme.value);
  });
  effect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
    localStorage.setItem('reeve.language', language.value);
  });
}
