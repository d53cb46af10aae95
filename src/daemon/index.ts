// Door of daemon/. What runs a daemon is loaded only when it is called: `reeve status` needs no HTTP server.
import type { Daemon, DaemonOptions } from './daemon.ts';
import type { RunOptions } from './run.ts';

export { currentOwner, defaultStateFolder, stateFolder } from '../store/index.ts';
export { type Control, type ControlOptions, connectControl } from './client.ts';
export type { Daemon, DaemonOptions } from './daemon.ts';
export type { RecordedEvent } from './events.ts';
export { type LogLine, type LogQuery, readLogs } from './log-files.ts';
export type * from './orders.ts';
export type { RunOptions } from './run.ts';
export type * from './status.ts';

export async function startDaemon(options: DaemonOptions, signal: AbortSignal): Promise<Daemon> {
  return (await import('./daemon.ts')).startDaemon(options, signal);
}

export async function runDaemon(options: RunOptions): Promise<number> {
  return (await import('./run.ts')).runDaemon(options);
}
