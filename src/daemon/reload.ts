// A reload: the whole new configuration is read and prepared before anything changes.
import { type ConfigDiff, diffConfig, isUnchanged, type LoadedConfig, loadConfig } from '../config/index.ts';
import { errorMessage } from '../core/errors.ts';
import { changesBetween, masked, type ValueChange } from './mask.ts';
import type { ReloadResult } from './orders.ts';
import type { Prepared } from './prepared.ts';
import type { Rooms } from './rooms.ts';

/** What the last reload did, for a person. */
export interface LastReload {
  /** ISO 8601. */
  at: string;
  /** Why it was refused; null where it was not. */
  error: string | null;
  diff: ConfigDiff | null;
  /** Without secrets: one that changed shows no difference, but its section is in `diff`. */
  changes: ValueChange[];
}

/** How a reload from one configuration to another went. */
function lastReload(before: LoadedConfig, after: LoadedConfig | null, error: unknown): LastReload {
  return {
    at: new Date().toISOString(),
    error: after ? null : errorMessage(error),
    diff: after && diffConfig(before.config, after.config),
    changes: after ? changesBetween(masked(before.config), masked(after.config)) : [],
  };
}

/** The configuration that counts. */
export interface InForce {
  loaded: LoadedConfig;
  /** ISO 8601. */
  loadedAt: string;
  /** Null: not reloaded since the daemon started. */
  lastReload: LastReload | null;
}

/** Keeps in `inForce` how it went. @throws like `reload`. */
export async function reloadInForce(
  inForce: InForce,
  rooms: Rooms,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<ReloadResult> {
  const before = inForce.loaded;
  try {
    const { loaded, result } = await reload(before, rooms, env, signal);
    const last = lastReload(before, loaded, null);
    Object.assign(inForce, { loaded, loadedAt: last.at, lastReload: last });
    return result;
  } catch (error) {
    inForce.lastReload = lastReload(before, null, error);
    throw error;
  }
}

/** @throws ReeveError where the file is wrong or an address cannot be had: then all goes on as it was. */
async function reload(
  current: LoadedConfig,
  rooms: Rooms,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<{ loaded: LoadedConfig; result: ReloadResult }> {
  const { emit } = rooms.context;
  const tell = (message: string, detail: Record<string, unknown> = {}) =>
    emit({ kind: 'config', subject: 'config', message, detail });
  try {
    const read = await loadConfig(current.file, env);
    const diff = diffConfig(current.config, read.config);
    const handlers = await rooms.handlers.prepare(read.config.listeners, read.folder);
    // Another content of a handler's file is a change as well.
    const rewritten = handlers.changed.filter((name) => !Object.values(diff.listeners).flat().includes(name));
    diff.listeners.changed.push(...rewritten);
    const changes = !isUnchanged(diff);
    // What only a restart can take up stays as it is, also for the comparison with the next file.
    const { control, state, relay, registry, health } = current.config;
    const loaded = { ...read, config: { ...read.config, control, state, relay, registry, health } };
    if (changes) await apply(loaded, rooms, handlers, signal);
    else await rooms.listeners.reread();
    tell(changes ? describe(diff) : 'reloaded: nothing has changed', { ...diff });
    return { loaded, result: { changes, ...diff } };
  } catch (error) {
    tell(`reload refused, nothing has changed: ${errorMessage(error)}`);
    throw error;
  }
}

/** Milliseconds that the start and a reload wait for services to come up before connections are sent there. */
export const settleWithin = 10_000;

/** Everything that may fail first; then services before the listeners that send to them, and what is left over last. */
export async function apply(
  { config, folder }: LoadedConfig,
  rooms: Rooms,
  handlers: Prepared,
  signal: AbortSignal,
): Promise<void> {
  const abandon = async (error: unknown) => {
    await handlers.abandon();
    throw error;
  };
  const sinks = await rooms.sinks.prepare(config.sinks, folder).catch(abandon);
  const listeners = await rooms.listeners.prepare(config.listeners, signal).catch(async (error) => {
    await sinks.abandon();
    return abandon(error);
  });
  const newSinks = sinks.commit();
  rooms.pool.configure(config);
  rooms.registry.apply(config.services);
  rooms.services.apply(config.services);
  // A listener that turns to a new service does so once somebody answers there.
  await rooms.services.settled(settleWithin, signal);
  // Together: a listener never looks for a handler that is gone.
  const newHandlers = handlers.commit();
  const newListeners = listeners.commit();
  rooms.checks.apply(config.checks);
  const tidy = async () => {
    await newListeners.retire();
    await Promise.all([newSinks.retire(), newHandlers.retire(), rooms.services.retire()]);
  };
  rooms.background.add('tidying up after a reload', tidy());
}

function describe(diff: ConfigDiff): string {
  const parts = (['services', 'listeners', 'sinks', 'checks'] as const).flatMap((section) =>
    (['added', 'changed', 'removed'] as const).flatMap((what) => {
      const names = diff[section][what];
      return names.length > 0 ? [`${section} ${what}: ${names.join(', ')}`] : [];
    }),
  );
  if (diff.ports) parts.push('ports changed');
  if (diff.restart.length > 0) parts.push(`only a restart takes up: ${diff.restart.join(', ')}`);
  return `reloaded: ${parts.join('; ')}`;
}
