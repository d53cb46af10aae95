// How it stands between here and Consul, told by everything that asks it: one state, an event when it changes.
import type { Context } from '../core/context.ts';
import { errorMessage, isReeveError } from '../core/errors.ts';
import type { RegistryState } from './registry.ts';

export class Link {
  state: RegistryState = 'connecting';
  detail: string | null = null;
  since: number;
  failures = 0;
  readonly #address: string;
  readonly #context: Context;
  /** What fails now, by who asks. */
  readonly #wrongs = new Map<string, { refused: boolean; message: string }>();

  constructor(address: string, context: Context) {
    this.#address = address;
    this.#context = context;
    this.since = context.clock.wall();
  }

  succeeded(who: string): void {
    this.#wrongs.delete(who);
    this.#look();
  }

  failed(who: string, error: unknown): void {
    this.failures += 1;
    const refused = isReeveError(error) && (error.code === 'unauthorized' || error.code === 'fault');
    this.#wrongs.set(who, { refused, message: errorMessage(error) });
    this.#look();
  }

  /** Asks no more. */
  forget(who: string): void {
    if (this.#wrongs.delete(who)) this.#look();
  }

  #look(): void {
    const wrongs = [...this.#wrongs.values()];
    const away = wrongs.find(({ refused }) => !refused);
    const wrong = away ?? wrongs[0];
    const state = !wrong ? 'ok' : away ? 'away' : 'refused';
    this.detail = wrong?.message ?? null;
    if (state === this.state) return;
    const before = this.state;
    this.state = state;
    this.since = this.#context.clock.wall();
    const words = { ok: 'answers', away: 'is away', refused: 'refuses' }[state];
    this.#context.emit({
      kind: 'registry',
      subject: 'registry/consul',
      message: `Consul on ${this.#address} ${words}${this.detail ? `: ${this.detail}` : ''}`,
      detail: { state, before, ...(state === 'ok' ? {} : { verdict: 'down' }) },
    });
  }
}
