// Sessions in Consul: whoever locks a port does so by one, and when no heartbeat comes Consul ends it for everybody.
import { ReeveError } from '../../core/errors.ts';
import type { Consul } from '../../store/index.ts';

/** Seconds: Consul's own bounds. */
const shortest = 10;
const longest = 86_400;

export class Sessions {
  readonly #consul: Consul;
  readonly #lockDelayMs: number;
  /** Of processes, by TTL. */
  readonly #shared = new Map<number, Promise<string>>();

  constructor(consul: Consul, lockDelayMs: number) {
    this.#consul = consul;
    this.#lockDelayMs = lockDelayMs;
  }

  /**
   * Of a lease that this process keeps: one for all of the same TTL. It lasts half as long again as the lease, so
   * that its holder has given up before anybody else can have it.
   */
  shared(ttlMs: number): Promise<string> {
    const kept = this.#shared.get(ttlMs);
    if (kept) return kept;
    const created = this.#create(Math.min(longest, (ttlMs * 1.5) / 1000), `reeve ${process.pid}`);
    this.#shared.set(ttlMs, created);
    created.catch(() => this.#shared.delete(ttlMs));
    return created;
  }

  /** Of a lease that no process keeps: nobody renews it but who asks again. @throws ReeveError `usage` */
  async lasting(ttlMs: number, name: string): Promise<string> {
    if (ttlMs > longest * 1000)
      throw new ReeveError('usage', 'a lease in Consul lasts at most 1d', { hint: 'Use a shorter --ttl' });
    return this.#create(ttlMs / 1000, name);
  }

  /** False where there is no such session any more. */
  async renew(session: string): Promise<boolean> {
    const { status } = await this.#consul.ask(`/v1/session/renew/${session}`, { method: 'PUT' });
    if (status === 404) this.forget(session);
    return status !== 404;
  }

  async destroy(session: string): Promise<void> {
    this.forget(session);
    await this.#consul.ask(`/v1/session/destroy/${session}`, { method: 'PUT' });
  }

  forget(session: string): void {
    for (const [ttl, kept] of this.#shared)
      void kept.then((id) => id === session && this.#shared.delete(ttl)).catch(() => {});
  }

  async #create(seconds: number, name: string): Promise<string> {
    const { body } = await this.#consul.ask('/v1/session/create', {
      method: 'PUT',
      body: {
        ...{ Name: name, TTL: `${Math.max(shortest, Math.ceil(seconds))}s`, Behavior: 'release' },
        // Heartbeats alone tell: a node that gossip loses for a moment loses no lease.
        ...{ Checks: [], NodeChecks: [], LockDelay: `${this.#lockDelayMs}ms` },
      },
    });
    const { ID } = (body ?? {}) as { ID?: unknown };
    if (typeof ID === 'string') return ID;
    throw new ReeveError('fault', 'Consul created no session');
  }
}
