// Door of supervise/: services as supervised instances.

export type { PortLease, PortSource } from './claims.ts';
export { runKeeper } from './keeper.ts';
export { createKeeper, type Keeper } from './keeper-link.ts';
export { createTrees } from './kept-tree.ts';
export { LogFile } from './log-file.ts';
export { type Restart, restartReasons } from './restarts.ts';
export { Run, type RunEnd } from './run.ts';
export { takeRunPort } from './run-port.ts';
export type { RunReport } from './run-report.ts';
export type { Listener } from './run-watch.ts';
export { type Service, superviseService } from './service.ts';
export { createSight } from './sight.ts';
export {
  type InstanceState,
  type InstanceStatus,
  instanceStates,
  type StartGate,
  type SuperviseDeps,
} from './status.ts';
