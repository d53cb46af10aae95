// Door of supervise/: services as supervised instances.

export { type Service, superviseService } from './service.ts';
export type { InstanceState, InstanceStatus, SuperviseDeps } from './status.ts';
