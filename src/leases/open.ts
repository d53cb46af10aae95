// Opens the lease book of this user.
import { hostname } from 'node:os';
import path from 'node:path';
import type { Clock } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { consulPlace, defaultStateFolder, isConsulUrl } from '../store/index.ts';
import type { System } from '../system/index.ts';
import type { LeaseBook } from './book.ts';
import { machineClock } from './clock.ts';
import type { ConsulBookSettings } from './consul/open.ts';
import { createBook } from './coordinator.ts';
import { type AuditLimits, auditLimits } from './sqlite-audit.ts';

export interface BookOptions {
  system: System;
  env: NodeJS.ProcessEnv;
  /** Default: `REEVE_LEASES` (a folder, or a Consul), else the user's state directory; not a configuration's `state:`, so that all share it. */
  folder?: string;
  clock?: Clock;
  /** Default 30,000 ms. */
  quarantineMs?: number;
  /** What the audit keeps. Default: 7 days, 50,000 entries. */
  audit?: Partial<AuditLimits>;
  /** How long to wait for other processes to write. Default 5000 ms. */
  busyMs?: number;
  /** Kept in Consul in place of a file: for all machines of one prefix. */
  consul?: ConsulBookSettings;
}

/** @throws ReeveError `privilege`, `config` for a damaged file, `timeout` while it is locked. */
export async function openLeaseBook(options: BookOptions): Promise<LeaseBook> {
  const { system, env, clock = machineClock, quarantineMs, busyMs } = options;
  const named = env.REEVE_LEASES ?? '';
  const consul =
    options.consul ?? (!options.folder && isConsulUrl(named) ? consulPlace(named, env) : undefined);
  if (consul) {
    const { openConsulLedger } = await import('./consul/open.ts');
    const ledger = await openConsulLedger(consul, clock);
    return createBook(ledger, { system, ...(quarantineMs === undefined ? {} : { quarantineMs }) });
  }
  const { openSqliteLedger } = await import('./sqlite.ts');
  const ledger = await openSqliteLedger({
    folder: options.folder ?? leaseFolder(env),
    clock,
    host: hostname(),
    audit: { ...auditLimits, ...options.audit },
    ...(busyMs === undefined ? {} : { busyMs }),
  });
  return createBook(ledger, { system, ...(quarantineMs === undefined ? {} : { quarantineMs }) });
}

function leaseFolder(env: NodeJS.ProcessEnv): string {
  const named = env.REEVE_LEASES;
  if (!named) return defaultStateFolder(env);
  if (path.isAbsolute(named)) return named;
  throw new ReeveError(
    'usage',
    `REEVE_LEASES is '${named}': it must be an absolute path of a folder, or the address of a Consul`,
  );
}
