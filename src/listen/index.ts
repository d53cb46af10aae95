// Door of listen/: binding with a conflict policy, admission, framing.
export { Admission, type AdmissionConfig } from './admission.ts';
export { type BindTools, type ListenRequest, openListener } from './bind.ts';
export type { Binding, RefusalReason } from './binding.ts';
export { socketBuffer } from './server.ts';
