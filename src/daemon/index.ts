// Door of daemon/. What runs a daemon is loaded only when it is called: `reeve status` needs no HTTP server.
import type { announceService as AnnounceService } from './announce.ts';
import type { Daemon, DaemonOptions } from './daemon-options.ts';
import type { RegistryReach } from './registry-probe.ts';
import type { RunOptions } from './run.ts';

export { currentOwner, defaultStateFolder, stateFolder } from '../store/index.ts';
export type { Announcement, AnnounceOptions } from './announce.ts';
export { type Control, type ControlOptions, connectControl } from './client.ts';
export type { Daemon, DaemonOptions } from './daemon-options.ts';
export type { RecordedEvent } from './events.ts';
export type { HealthReport } from './health.ts';
export { type LogLine, type LogQuery, readLogs } from './log-files.ts';
export type * from './orders.ts';
export type { ConfigAnswer } from './routes/config.ts';
export type { HistoryAnswer } from './routes/history.ts';
export type { RunOptions } from './run.ts';
export type * from './status.ts';

type Announce = typeof AnnounceService;

export async function announceService(...given: Parameters<Announce>): Promise<ReturnType<Announce>> {
  return (await import('./announce.ts')).announceService(...given);
}

export async function reachRegistry(file: string, env: NodeJS.ProcessEnv): Promise<RegistryReach | null> {
  return (await import('./registry-probe.ts')).reachRegistry(file, env);
}

export async function startDaemon(options: DaemonOptions, signal: AbortSignal): Promise<Daemon> {
  return (await import('./daemon.ts')).startDaemon(options, signal);
}

export async function runDaemon(options: RunOptions): Promise<number> {
  return (await import('./run.ts')).runDaemon(options);
}
