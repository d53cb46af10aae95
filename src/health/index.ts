// Door of health/: one probe, checks that repeat it, and what follows from their verdicts.
export { type ActionOutcome, type Actions, createActions } from './actions.ts';
export { type Alerts, createAlerts } from './alerts.ts';
export type { Check } from './check.ts';
export { connect } from './connect.ts';
export { withDeadline } from './deadline.ts';
export { createMaintenance, type Maintained, type Maintenance } from './maintenance.ts';
export { type Memory, openMemory } from './memory.ts';
export { type Facts, ProbeFailure, type ProbeOptions, type ProbeResult } from './outcome.ts';
export { assertProbeUrl, probe } from './probe.ts';
export { createScheduler, type Scheduler } from './scheduler.ts';
export { alertPolicy, answerOptions, targetProbe } from './target.ts';
