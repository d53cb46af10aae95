// `reeve up`: runs the daemon until a signal or the API ends it, and says what is listening where.
import path from 'node:path';
import type { Writable } from 'node:stream';
import { errorMessage, exit, isReeveError } from '../core/errors.ts';
import { parseDuration } from '../core/quantity.ts';
import type { Keeper } from '../supervise/index.ts';
import type { ServiceManager, System } from '../system/index.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon } from './daemon-options.ts';
import { watchFile } from './file-watch.ts';
import { createLog, type LogTarget } from './log.ts';
import { type Inheritance, receiveInheritance } from './succession/index.ts';
import { startSummary } from './summary.ts';

export interface RunOptions {
  configFile: string;
  system: System;
  env: NodeJS.ProcessEnv;
  stdout: Writable;
  version: string;
  /** See DaemonOptions. */
  keeper?: Keeper | undefined;
  /** Also by REEVE_LOG_LEVEL; default `info`. */
  logLevel?: string;
  /** Reload when the configuration's file changes. */
  watch?: boolean;
  /** Instead of stderr. */
  logTo?: LogTarget;
  /** Default: the one that the system finds in the environment. */
  manager?: ServiceManager | null;
  /** See DaemonOptions. */
  again?: readonly string[];
  /** Print no summary. */
  quiet?: boolean;
}

/**
 * Resolves with the exit code. SIGTERM and SIGINT drain, a second one ends at once; SIGHUP reloads, also
 * what came during the start.
 * REEVE_DRAIN_DELAY (`5s`; none by default) is how long it goes on accepting after readiness has failed.
 * @throws ReeveError where the daemon cannot start.
 */
export async function runDaemon(options: RunOptions): Promise<number> {
  const { env, stdout } = options;
  const log = await createLog({ level: options.logLevel ?? env.REEVE_LOG_LEVEL, to: options.logTo });
  const start = new AbortController();
  let daemon: Daemon | null = null;
  let inheritance: Inheritance | null = null;
  let asked = false;
  /** A reload was asked for before there was anything to reload. */
  let again = false;

  const endAtOnce = (code: number) => {
    daemon?.killServices();
    log.flush();
    process.exit(code);
  };
  const stop = (name: string) => {
    log.info({ signal: name }, asked ? 'second signal: ending at once' : 'signal: draining');
    if (asked) endAtOnce(exit.no);
    asked = true;
    start.abort();
    void daemon?.drainAndStop();
  };
  const reload = async () => {
    again = daemon === null;
    // Its event has told why it was refused.
    await daemon?.reload().catch((error) => log.debug({}, `reload: ${errorMessage(error)}`));
  };
  const leave = onSignals({ SIGTERM: stop, SIGINT: stop, SIGHUP: () => void reload() });
  const manager = options.manager ?? options.system.serviceManager?.(env) ?? null;
  manager?.asks((what) => {
    if (what === 'reload') void reload();
    else if (!asked) stop('the service manager');
  });
  let unwatch = () => {};
  const fault = (error: unknown) => {
    log.error({ err: error }, 'a fault in reeve: ending');
    endAtOnce(exit.fault);
  };
  process.on('uncaughtException', fault);
  try {
    const delay = env.REEVE_DRAIN_DELAY;
    const lameDuck = delay ? parseDuration(delay) : 0;
    // Before the file is read: what changes from now on is seen.
    if (options.watch) unwatch = watchFile(path.resolve(options.configFile), reload);
    inheritance = await receiveInheritance(env);
    daemon = await startDaemon({ ...options, log, lameDuck, manager, inheritance }, start.signal);
    if (again) void reload();
    if (!options.quiet) stdout.write(startSummary(daemon.status()));
    await daemon.stopped;
    return exit.done;
  } catch (error) {
    inheritance?.failed(errorMessage(error));
    // A stop that came during the start is not a failure.
    if (isReeveError(error) && error.code === 'aborted') return exit.done;
    throw error;
  } finally {
    leave();
    unwatch();
    process.off('uncaughtException', fault);
    log.flush();
  }
}

function onSignals(handlers: Partial<Record<NodeJS.Signals, (name: NodeJS.Signals) => void>>): () => void {
  const entries = Object.entries(handlers) as [NodeJS.Signals, (name: NodeJS.Signals) => void][];
  for (const [name, handler] of entries) process.on(name, handler);
  return () => {
    for (const [name, handler] of entries) process.off(name, handler);
  };
}
