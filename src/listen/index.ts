// Door of listen/.
export type { Binding, RefusalReason } from './binding.ts';
