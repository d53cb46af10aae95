// Door of listen/: binding with a conflict policy, verified listening, admission, framing.
export { Admission, type AdmissionConfig } from './admission.ts';
export { type BindTools, type ListenRequest, openListener } from './bind.ts';
export type { Binding, DescriptorCalls, HandedOver, RefusalReason } from './binding.ts';
export { createFramer, type FrameFailure, type FrameKind, type Framer } from './frame.ts';
export { type Verification, verifyListening } from './verify.ts';
