// Door of listen/: binding with a conflict policy, verified listening, admission, framing, the PROXY protocol.
export { Admission, type AdmissionConfig } from './admission.ts';
export { announce, type OwnEnds } from './announce.ts';
export { type BindTools, type ListenRequest, openListener } from './bind.ts';
export type { Binding, DescriptorCalls, HandedOver, RefusalReason } from './binding.ts';
export { createFramer, type FrameFailure, type FrameKind, type Framer } from './frame.ts';
export type { HostAndPort, ProxyHeader, ProxyVersion } from './proxy-header.ts';
export { type Guest, type Host, Reception, type ReceptionTerms } from './reception.ts';
export { type Verification, verifyListening } from './verify.ts';
