// Opens the history of charts: a file in the state directory, and who writes it.
import path from 'node:path';
import type { Clock, Log } from '../../core/context.ts';
import { errorMessage } from '../../core/errors.ts';
import { openRings } from '../../store/index.ts';
import type { System } from '../../system/index.ts';
import type { DaemonStatus } from '../status.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createUsageMeter } from './usage.ts';

export interface HistoryOptions {
  system: System;
  clock: Clock;
  log: Log;
  stateFolder: string;
  status(): DaemonStatus;
}

/** Charts are no reason not to start: without the file they show what was seen since. */
export async function openHistory({
  system,
  clock,
  log,
  stateFolder,
  status,
}: HistoryOptions): Promise<Recorder> {
  const rings = await openRings(path.join(stateFolder, 'history.db')).catch((error) => {
    log.warn({ error: errorMessage(error) }, 'no history for charts');
    return null;
  });
  const meter = createUsageMeter(system.processes, clock);
  return createRecorder({ clock, log, rings, status, usage: (now) => meter.read(now) });
}
