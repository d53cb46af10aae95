// Every text of the dashboard in its languages. What the daemon itself writes (details, events) stays as it is.
import { shell } from './shell.ts';
import { viewTexts } from './views.ts';
import { words } from './words.ts';

export interface Text {
  en: string;
  zh: string;
}

export const catalogue = { ...shell, ...viewTexts, ...words } satisfies Record<string, Text>;
