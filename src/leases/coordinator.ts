// A lease book over any ledger: offers, proves by binding, takes back what fails, until the request is met.
import { isReeveError, ReeveError } from '../core/errors.ts';
import { leaseTimes } from '../core/lease.ts';
import { unsuitableWords, whyUnsuitable } from '../core/lease-ports.ts';
import { abortError } from '../core/time.ts';
import type { System } from '../system/index.ts';
import type { Granted, GrantRequest, LeaseBook, Moved } from './book.ts';
import type { Ledger, Offer, Offered, Order } from './ledger.ts';
import { goneAmong } from './owner.ts';
import { findHolder, provePort, type Refusal } from './prove.ts';
import { assertEnough, checkRequest, keptFor, poolRules } from './request.ts';

export interface CoordinatorOptions {
  system: System;
  /** Default 30,000 ms. */
  quarantineMs?: number;
}

/** Strangers that one grant may meet before it gives up. */
const maxRefusals = 256;
/** Settings of the machine are read again after so long. */
const factsKeptMs = 1000;

export function createBook(ledger: Ledger, { system, quarantineMs }: CoordinatorOptions): LeaseBook {
  const hostFacts = keptFor(factsKeptMs, () => system.host.facts());

  async function grant(request: GrantRequest, signal: AbortSignal): Promise<Granted[]> {
    checkRequest(request);
    const { name, owner, ttlMs, count = 1, strict = false } = request;
    const rules = poolRules(request, await hostFacts());
    assertEnough(rules, count);
    const refused = new Map<number, Refusal>();
    const order: Order = {
      ...{ name, owner, ttlMs, count, strict, range: rules.range },
      quarantineMs: quarantineMs ?? leaseTimes.quarantine,
      isSuitable: (port) => !refused.has(port) && whyUnsuitable(port, rules) === null,
      goneAmong: (owners) => goneAmong(system, owners),
    };
    while (refused.size < maxRefusals) {
      if (signal.aborted) throw abortError(signal);
      const { offers, homes } = await offer(order, refused, signal);
      const failed = await prove(offers, homes).catch(async (error: unknown) => {
        await ledger.withdraw(offers, new Map());
        throw error;
      });
      if (failed.size === 0) return settle(offers, lostHomes(homes, refused, rules));
      for (const [port, evidence] of failed) refused.set(port, evidence);
      await ledger.withdraw(offers, failed);
    }
    throw new ReeveError('conflict', `${maxRefusals} ports in a row were held by other programs`, {
      hint: 'See by whom: reeve who; or use another --range',
    });
  }

  async function offer(order: Order, refused: Map<number, Refusal>, signal: AbortSignal): Promise<Offered> {
    try {
      return await ledger.offer(order, signal);
    } catch (error) {
      const [port, evidence] = [...refused][0] ?? [];
      if (port === undefined || !isReeveError(error) || error.code !== 'conflict') throw error;
      const why = inWords({ holder: await findHolder(system, port), ...evidence }, String(port));
      const more = refused.size > 1 ? `, and ${refused.size - 1} more cannot be bound either` : '';
      throw new ReeveError('conflict', `${error.message}: ${why}${more}`, {
        hint: `See who has it: reeve who ${port}`,
        cause: error,
      });
    }
  }

  /** All of them, so that a block is not tried again for one failure after the other. */
  async function prove(offers: Offer[], homes: number[]): Promise<Map<number, Refusal>> {
    const failed = new Map<number, Refusal>();
    for (const { lease, renewed, home } of offers) {
      const refusal = renewed ? null : await provePort(system, lease.port, home);
      if (!refusal) continue;
      // Finding the holder means looking through every process: only where a name loses its port to it.
      const holder = homes.includes(lease.port) ? await findHolder(system, lease.port) : null;
      failed.set(lease.port, { ...refusal, ...(holder ? { holder } : {}) });
    }
    return failed;
  }

  async function settle(offers: Offer[], lost: Moved[]): Promise<Granted[]> {
    const granted: Granted[] = [];
    for (const { lease, renewed, home } of offers) {
      const moved = home ? null : (lost.shift() ?? null);
      if (moved) await ledger.note(lease, 'moved', { ...moved, to: lease.port });
      granted.push({ ...lease, renewed, moved });
    }
    return granted;
  }

  return {
    grant,
    markBound: (lease, evidence) => ledger.markBound(lease, evidence),
    renew: (leases) => ledger.renew(leases),
    release: (leases, evidence) => ledger.release(leases, evidence),
    releaseNow: (leases, evidence) => ledger.releaseNow(leases, evidence),
    note: (lease, kind, evidence) => ledger.note(lease, kind, evidence),
    async list(name) {
      await ledger.end(await goneAmong(system, await ledger.owners()));
      return ledger.list(name);
    },
    audit: (query = {}) => ledger.audit(query),
    close: () => ledger.close(),
  };
}

/** Earlier ports that cannot be had. Those that another owner of the same name has are no loss: it has its own. */
function lostHomes(
  homes: number[],
  refused: Map<number, Refusal>,
  rules: ReturnType<typeof poolRules>,
): Moved[] {
  return homes.flatMap((from): Moved[] => {
    const evidence = refused.get(from);
    if (evidence) return [{ from, why: inWords(evidence) }];
    const reason = whyUnsuitable(from, rules);
    return reason ? [{ from, why: `it is ${unsuitableWords[reason]}` }] : [];
  });
}

function inWords({ code, holder }: Refusal, port = 'it'): string {
  const who = holder as { pid: number; name: string } | null | undefined;
  return who ? `${who.name} (PID ${who.pid}) has ${port}` : `a bind of ${port} fails with ${code}`;
}
