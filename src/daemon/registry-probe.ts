// Whether the registry that a configuration or the environment names can be reached: for doctor.
import { existsSync } from 'node:fs';
import { loadConfig } from '../config/index.ts';
import { silentLog, systemClock } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import { createConsulRegistry, openRegistry, type Registry } from '../registry/index.ts';
import { consulSettings } from './registry.ts';

export interface RegistryReach {
  address: string;
  /** Null where it answers. */
  error: string | null;
  /** What it knows. */
  services: number;
}

const context = { clock: systemClock, random: Math.random, log: silentLog, emit: () => {} };
/** Milliseconds. */
const within = 3_000;

/** Null where none is named but the daemon's own. */
export async function reachRegistry(file: string, env: NodeJS.ProcessEnv): Promise<RegistryReach | null> {
  const registry = await named(file, env).catch(() => null);
  if (!registry) return null;
  const address = registry.status().address ?? '';
  try {
    const services = await registry.services(AbortSignal.timeout(within));
    return { address, error: null, services: services.length };
  } catch (error) {
    return { address, error: errorMessage(error), services: 0 };
  } finally {
    await registry.close();
  }
}

async function named(file: string, env: NodeJS.ProcessEnv): Promise<Registry | null> {
  // A configuration that is wrong is told by reeve up --check.
  const loaded = existsSync(file) ? await loadConfig(file, env).catch(() => null) : null;
  const settings = loaded && consulSettings(loaded.config.registry, loaded.folder);
  if (settings) return createConsulRegistry(settings, context);
  return env.REEVE_REGISTRY || env.CONSUL_HTTP_ADDR ? openRegistry(undefined, env, context) : null;
}
