// Keeps what is announced at a Consul agent as it is here: registers, feeds the checks, looks for differences, takes out.
import { backoffDelay } from '../core/backoff.ts';
import type { Context } from '../core/context.ts';
import { isReeveError } from '../core/errors.ts';
import { sleep } from '../core/time.ts';
import type { Consul } from '../store/index.ts';
import {
  agentServices,
  checkIdOf,
  isSame,
  ownerKey,
  type RegistrationOptions,
  registrationOf,
  statusOf,
  ttlSeconds,
} from './consul-shapes.ts';
import type { Link } from './link.ts';
import type { Announced, AnnouncedStatus, Announcement, Standing } from './registry.ts';

export interface AnnouncerOptions extends RegistrationOptions {
  consul: Consul;
  link: Link;
  context: Context;
  /** Whether the owner is this process alone: for the time of an upgrade two daemons have one. Default: it is. */
  isAlone?: () => boolean;
}

interface Entry {
  announcement: Announcement;
  standing: Standing;
  reason: string;
  registered: boolean;
  /** What Consul was told last, and when (monotonic). */
  told: { standing: Standing; reason: string; at: number } | null;
}

/** Milliseconds. */
const feedEvery = (ttlSeconds * 1000) / 3;
const lookEvery = 60_000;
const patience = { min: 500, max: 30_000 };
const withdrawWithin = 3_000;
/** Consul keeps 4 KB of an output. */
const longestReason = 1000;
const who = 'announcing';

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #entries = new Map<string, Entry>();
  /** Ids to be taken out, and who waits for it. */
  readonly #leaving = new Map<string, () => void>();
  readonly #closing = new AbortController();
  #nudge = new AbortController();
  #running: Promise<void> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  announce(announcement: Announcement): Announced {
    const { id, check } = announcement;
    // What Consul looks at by itself begins as it will be found.
    const standing = check ? 'pass' : 'fail';
    const entry: Entry = {
      announcement,
      standing,
      reason: 'not looked at yet',
      registered: false,
      told: null,
    };
    this.#entries.set(id, entry);
    this.#wake();
    return {
      id,
      report: (now, reason) => {
        const cut = reason.slice(0, longestReason);
        if (entry.standing === now && entry.reason === cut) return;
        Object.assign(entry, { standing: now, reason: cut });
        this.#wake();
      },
      withdraw: async () => {
        if (this.#entries.get(id) !== entry) return;
        this.#entries.delete(id);
        const gone = new Promise<void>((resolve) => this.#leaving.set(id, resolve));
        this.#wake();
        const over = new AbortController();
        const late = sleep(withdrawWithin, over.signal).catch(() => {});
        await Promise.race([gone, late]).finally(() => over.abort());
      },
    };
  }

  status(): AnnouncedStatus[] {
    return [...this.#entries].map(([id, { announcement, standing, reason, registered, told }]) => ({
      ...{ id, service: announcement.service, port: announcement.port, standing, reason },
      inStep: registered && (announcement.check !== null || told?.standing === standing),
    }));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#nudge.abort();
    await this.#running;
  }

  #wake(): void {
    this.#nudge.abort();
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    const { link, context } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#nudge = new AbortController();
      let pause = feedEvery;
      try {
        await this.#sync(signal);
        this.#failures = 0;
        link.succeeded(who);
      } catch (error) {
        if (signal.aborted) return;
        link.failed(who, error);
        // It may have been started anew, and have forgotten.
        this.#lookedAt = Number.NEGATIVE_INFINITY;
        pause = backoffDelay(patience, this.#failures++, context.random);
      }
      // News does not hurry one that is away: its next try is soon enough.
      const wake = this.#failures > 0 ? signal : AbortSignal.any([signal, this.#nudge.signal]);
      await sleep(pause, wake).catch(() => {});
    }
  }

  /** @throws the first error, after all the others have had their turn unless nobody answers at all. */
  async #sync(signal: AbortSignal): Promise<void> {
    let wrong: unknown = null;
    const attempt = async (work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        if (signal.aborted || !isReeveError(error) || !['unauthorized', 'fault'].includes(error.code))
          throw error;
        wrong ??= error;
      }
    };
    if (this.#now() - this.#lookedAt >= lookEvery) await attempt(() => this.#lookForDifferences(signal));
    for (const id of [...this.#leaving.keys()]) await attempt(() => this.#takeOut(id, signal));
    for (const entry of [...this.#entries.values()]) await attempt(() => this.#bring(entry, signal));
    if (wrong !== null) throw wrong;
  }

  async #bring(entry: Entry, signal: AbortSignal): Promise<void> {
    if (!entry.registered) await this.#register(entry, signal);
    if (entry.announcement.check) return;
    const { standing, reason, told } = entry;
    const isNews = told?.standing !== standing || told.reason !== reason;
    if (!isNews && this.#now() - told.at < feedEvery * 0.8) return;
    if (await this.#feed(entry, signal)) return;
    // The agent has lost it.
    await this.#register(entry, signal);
    await this.#feed(entry, signal);
  }

  async #register(entry: Entry, signal: AbortSignal): Promise<void> {
    const { consul } = this.#options;
    const body = registrationOf(entry.announcement, entry.standing, this.#options);
    await consul.ask('/v1/agent/service/register', { method: 'PUT', body }, signal);
    // Withdrawn meanwhile: it is taken out in the next round, which the withdrawal has asked for.
    entry.registered = true;
    entry.told = null;
  }

  /** False where the agent does not know the check. */
  async #feed(entry: Entry, signal: AbortSignal): Promise<boolean> {
    const { standing, reason, announcement } = entry;
    const at = this.#now();
    const target = `/v1/agent/check/update/${encodeURIComponent(checkIdOf(announcement.id))}`;
    const body = { Status: statusOf(standing), Output: reason };
    // 1.8 answers an unknown check with 500, later versions with 404.
    const { status } = await this.#options.consul.ask(target, { method: 'PUT', body, accept: [500] }, signal);
    if (status === 404 || status === 500) {
      entry.registered = false;
      return false;
    }
    entry.told = { standing, reason, at };
    return true;
  }

  async #takeOut(id: string, signal: AbortSignal): Promise<void> {
    const target = `/v1/agent/service/deregister/${encodeURIComponent(id)}`;
    const tell = this.#leaving.get(id);
    // Announced anew meanwhile: then it is replaced, not taken out.
    if (!this.#entries.has(id)) await this.#options.consul.ask(target, { method: 'PUT' }, signal);
    if (this.#leaving.get(id) === tell) this.#leaving.delete(id);
    tell?.();
  }

  /** What somebody has taken out or changed, what an agent has forgotten, and what a crash has left behind. */
  async #lookForDifferences(signal: AbortSignal): Promise<void> {
    const { consul, owner, isAlone = () => true } = this.#options;
    const at = this.#now();
    const has = agentServices((await consul.ask('/v1/agent/services', {}, signal)).body);
    for (const [id, entry] of this.#entries) {
      const row = has.get(id);
      if (row && isSame(row, registrationOf(entry.announcement, entry.standing, this.#options))) continue;
      entry.registered = false;
    }
    for (const [id, row] of has) {
      const isLeft = isAlone() && owner !== null && row.Meta[ownerKey] === owner && !this.#entries.has(id);
      if (isLeft && !this.#leaving.has(id)) this.#leaving.set(id, () => {});
    }
    this.#lookedAt = at;
  }

  #now(): number {
    return this.#options.context.clock.monotonic();
  }
}
