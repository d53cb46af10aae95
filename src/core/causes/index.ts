// Why a bind fails: pure rules from facts to ranked causes with remedies.
export { type Explanation, explainBind } from './explain.ts';
export type { BindFacts, BindFailureFact, BindHost, Cause, CauseId, RivalSocket } from './facts.ts';
export { invalidArgument, noDescriptors } from './refusal.ts';
