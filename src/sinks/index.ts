// Door of sinks/.
export type * from './sink.ts';
