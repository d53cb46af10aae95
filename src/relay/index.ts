// Door of relay/.
export type * from './engine.ts';
