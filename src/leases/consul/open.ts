// Opens the ledger in Consul, and says which machine this is.
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock } from '../../core/context.ts';
import { type ConsulSettings, connectConsul } from '../../store/index.ts';
import type { Ledger } from '../ledger.ts';
import { ConsulLedger } from './ledger.ts';

export interface ConsulBookSettings extends ConsulSettings {
  /** Default `portreeve`. */
  prefix?: string;
  lockDelayMs?: number;
}

export async function openConsulLedger(
  { prefix = 'portreeve', lockDelayMs, ...settings }: ConsulBookSettings,
  clock: Clock,
): Promise<Ledger> {
  const host = hostname();
  return new ConsulLedger({
    ...{ consul: connectConsul(settings), prefix, clock, host, machine: `${host}/${await bootId()}` },
    ...(lockDelayMs === undefined ? {} : { lockDelayMs }),
  });
}

/** Two hosts may have one name, but never one boot. Elsewhere than on Linux the name has to do. */
async function bootId(): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => 'unknown',
  );
}
