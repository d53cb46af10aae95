// Door of supervise/: services as supervised instances.

export { runKeeper } from './keeper.ts';
export { createKeeper, type Keeper } from './keeper-link.ts';
export { Run, type RunDeps, type RunEnd, type RunSpec } from './run.ts';
export { type RunPort, type RunPortOptions, takeRunPort } from './run-port.ts';
export type { RunReport } from './run-report.ts';
export type { Listener } from './run-watch.ts';
export { type Service, superviseService } from './service.ts';
export type { InstanceState, InstanceStatus, SuperviseDeps } from './status.ts';
