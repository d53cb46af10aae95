// Why a bind fails: pure rules from facts to ranked causes with remedies.
export { type Explanation, explainBind } from './explain.ts';
export type { BindFacts, BindHost, Cause, CauseId, RivalSocket } from './facts.ts';
export { invalidArgument } from './refusal.ts';
