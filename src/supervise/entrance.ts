// What comes before each start of an instance: what it depends on, its ports, and exactly what is to be started.
import type { ServiceConfig } from '../config/index.ts';
import type { Claims, LostPort } from './claims.ts';
import { untilAdmitted, untilClaimed } from './entry.ts';
import type { Launch, Ports } from './launch.ts';
import { type Notices, portLost } from './notices.ts';
import { prepareLaunch } from './running.ts';
import type { InstanceStatus, SuperviseDeps } from './status.ts';

export type WaitsFor = NonNullable<InstanceStatus['waitsFor']>;

/** All that a start needs. */
export interface Entry {
  config: ServiceConfig;
  ports: Ports;
  launch: Launch;
}

export class Entrance {
  readonly #claims: Claims;
  readonly #notices: Notices;
  readonly #deps: SuperviseDeps;
  readonly #waits: (what: WaitsFor, reason: string) => void;
  /** What the service depends on was there once. */
  #admitted = false;

  constructor(
    claims: Claims,
    notices: Notices,
    deps: SuperviseDeps,
    waits: (what: WaitsFor, reason: string) => void,
  ) {
    this.#claims = claims;
    this.#notices = notices;
    this.#deps = deps;
    this.#waits = waits;
  }

  /** `config`: as it is now, which may change while the instance waits. Rejects when the signal aborts. */
  async pass(config: () => ServiceConfig, signal: AbortSignal): Promise<Entry> {
    if (!this.#admitted) {
      const waits = (reason: string) => this.#waits('dependency', reason);
      await untilAdmitted(this.#deps.gate, config, waits, signal);
    }
    // Once admitted, always: what it depends on may come and go.
    this.#admitted = true;
    const settled = config();
    const ports = await untilClaimed(this.#claims, settled, (lost) => this.#tellLost(lost), signal);
    const launch = await prepareLaunch({ config: settled, ports }, this.#deps);
    signal.throwIfAborted();
    return { config: settled, ports, launch };
  }

  #tellLost(lost: LostPort): void {
    const notice = portLost(lost);
    this.#notices.once(`${lost.port} ${lost.movedTo}`, notice);
    if (lost.movedTo === null) this.#waits('port', notice.message);
  }
}
