// Door of health/: one probe, and checks that repeat it.
export type { CheckTiming } from './cadence.ts';
export type { Check, CheckSpec } from './check.ts';
export type { ProbeOptions, ProbeReason, ProbeResult } from './outcome.ts';
export { assertProbeUrl, probe } from './probe.ts';
export { createScheduler, type Scheduler, type SchedulerOptions } from './scheduler.ts';
