// Door of listen/: binding with a conflict policy, verified listening, admission, framing, the PROXY protocol, TLS.
export { Admission } from './admission.ts';
export { announce } from './announce.ts';
export type { Guest, Host } from './arrival.ts';
export { createTextFramer, type Frame } from './ascii-lines.ts';
export { type BindTools, openDatagrams, openListener } from './bind.ts';
export type {
  AnyBinding,
  Binding,
  DatagramBinding,
  DescriptorCalls,
  Line,
  RefusalReason,
} from './binding.ts';
export { streams } from './binding.ts';
export {
  type Certificate,
  type Credentials,
  loadCredentials,
  loadTargetTls,
  type TargetTls,
} from './credentials.ts';
export { asItIs, inheritDatagrams } from './datagrams.ts';
export { createFramer, type FrameKind, type Framer } from './frame.ts';
export * from './handlers/index.ts';
export { Overload } from './overload.ts';
export type { HostAndPort } from './proxy-header.ts';
export { Reception } from './reception.ts';
export { resettable } from './secured.ts';
export { inheritListener } from './server.ts';
export { type Verification, verifyListening } from './verify.ts';
export { verifyDatagrams } from './verify-datagrams.ts';
