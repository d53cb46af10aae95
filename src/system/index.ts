// Door of system/: the interface, and what every implementation shares. Which one is used is decided in select.ts, by
// the entry points alone.
export type * from './elevation.ts';
export type * from './firewall.ts';
export type * from './managers.ts';
export type * from './privacy.ts';
export type * from './scanner.ts';
export type * from './service-manager.ts';
export type * from './startable.ts';
export type * from './system.ts';
export { endMarked, endTree, keyOf, markName, membersOf } from './tree.ts';
