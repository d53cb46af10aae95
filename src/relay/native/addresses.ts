// Looks up the names of targets for the workers, again and again: they cannot wait for a resolver themselves.
import { lookup } from 'node:dns/promises';
import { familyOf } from '../../core/address.ts';
import type { Target } from '../engine.ts';
import type { WireTarget } from './protocol.ts';

/** The system's resolver tells no time to live. */
const refreshMs = 10_000;

export class Addresses {
  private readonly known = new Map<string, string[]>();
  private readonly changed: () => void;
  private timer: NodeJS.Timeout | undefined;
  private names = new Set<string>();
  private closed = false;

  /** `changed` is called when a name leads elsewhere than before. */
  constructor(changed: () => void) {
    this.changed = changed;
  }

  /** The targets as far as their names are known now; what is not known yet is looked up. */
  of(targets: Target[]): Omit<WireTarget, 'slot'>[] {
    this.names = new Set(targets.map(({ host }) => host).filter((host) => familyOf(host) === null));
    for (const name of this.known.keys()) if (!this.names.has(name)) this.known.delete(name);
    if ([...this.names].some((name) => !this.known.has(name))) void this.refresh();
    return targets.map((target) => ({
      ...target,
      addresses: familyOf(target.host) === null ? (this.known.get(target.host) ?? []) : [target.host],
    }));
  }

  /** Whether every name has been looked up at least once, with whatever result. */
  get complete(): boolean {
    return [...this.names].every((name) => this.known.has(name));
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async refresh(): Promise<void> {
    clearTimeout(this.timer);
    const answers = await Promise.all([...this.names].map((name) => this.lookUp(name)));
    if (this.closed) return;
    if (answers.includes(true)) this.changed();
    clearTimeout(this.timer);
    if (this.names.size > 0) this.timer = setTimeout(() => void this.refresh(), refreshMs).unref();
  }

  /** Whether it is news. A resolver that fails leaves what was known. */
  private async lookUp(name: string): Promise<boolean> {
    const before = this.known.get(name);
    const found = await lookup(name, { all: true, verbatim: true }).catch(() => null);
    const addresses = found?.map(({ address }) => address) ?? before ?? [];
    if (!this.names.has(name)) return false;
    this.known.set(name, addresses);
    return before === undefined || before.join() !== addresses.join();
  }
}
