// Finds the keeper's program, which ends what reeve ran where reeve itself is killed.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Keeper } from '../supervise/index.ts';
import type { System } from '../system/index.ts';

/** Undefined where it could find nobody, and in a checkout that has not been built. It starts when it is needed. */
export async function findKeeper(system: System, env: NodeJS.ProcessEnv): Promise<Keeper | undefined> {
  const { findsMarked, endsWithThis } = system.containment.abilities;
  // Where the system itself ends what reeve ran, nobody need wait for that.
  if (!findsMarked || endsWithThis) return undefined;
  const file = fileURLToPath(new URL('./keeper.js', import.meta.url));
  if (!existsSync(file)) return undefined;
  const { createKeeper } = await import('../supervise/index.ts');
  return createKeeper(file, env);
}
