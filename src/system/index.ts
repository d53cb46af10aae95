// Door of system/: the interface. Which implementation is used is decided in select.ts, by the entry points alone.
export type * from './scanner.ts';
export type * from './system.ts';
