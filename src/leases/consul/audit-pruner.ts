// Keeps the audit in Consul bounded: its newest entries, no more than a key-value store should carry.
import type { Clock } from '../../core/context.ts';
import { type Keys, mostOperations, remove } from './keys.ts';

const most = 2000;
const oldestMs = 7 * 86_400_000;
/** Grants between two looks. */
const every = 100;

export class AuditPruner {
  readonly #keys: Keys;
  readonly #clock: Clock;
  #grants = 0;

  constructor(keys: Keys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  async granted(count: number): Promise<void> {
    const before = Math.floor(this.#grants / every);
    this.#grants += count;
    // Also by chance, since a command that grants once never counts to a hundred.
    if (Math.floor(this.#grants / every) > before || Math.random() < 1 / every) await this.#prune();
  }

  async #prune(): Promise<void> {
    const keys = await this.#keys.auditKeys();
    const isOld = (key: string) => {
      const wall = Number.parseInt(key.slice(key.lastIndexOf('/') + 1).split('-')[0] ?? '', 16);
      return wall < this.#clock.wall() - oldestMs;
    };
    const surplus = keys.filter((key, at) => at < keys.length - most || isOld(key));
    for (let first = 0; first < surplus.length; first += mostOperations)
      await this.#keys.transact(surplus.slice(first, first + mostOperations).map(remove));
  }
}
