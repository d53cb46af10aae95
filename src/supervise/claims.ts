// The ports of one instance: kept from one start to the next, never given to two.
import { createServer } from 'node:net';
import type { ServiceConfig } from '../config/index.ts';
import { errorCode, ReeveError } from '../core/errors.ts';
import type { Ports } from './launch.ts';

export interface PortSource {
  /** A port that nobody holds and that is not in `taken`. */
  choosePort(taken: ReadonlySet<number>): Promise<number>;
  /** Every port that any service of this daemon has; shared by all of them. */
  taken: Set<number>;
}

/** Two services may choose in the same moment: the one that comes second asks again. */
const maxTries = 100;

export class Claims {
  readonly #source: PortSource;
  #ports: Record<string, number> = {};

  constructor(source: PortSource) {
    this.#source = source;
  }

  get ports(): Ports {
    return this.#ports;
  }

  /**
   * The ports for the next start: the ones it had, unless a stranger holds them by now.
   * @throws ReeveError `conflict` when a fixed port is held.
   */
  async claim(wanted: ServiceConfig['ports']): Promise<Ports> {
    for (const [name, port] of Object.entries(this.#ports)) {
      const want = wanted[name];
      if (want === undefined || (want !== 'auto' && want !== port)) this.#drop(name);
    }
    for (const [name, want] of Object.entries(wanted)) {
      const kept = this.#ports[name];
      if (want !== 'auto') await this.#fix(name, want);
      else if (kept === undefined || !(await isFree(kept))) await this.#choose(name);
    }
    // In the order of the configuration, whatever was kept: the first is PORT.
    this.#ports = Object.fromEntries(Object.keys(wanted).map((name) => [name, this.#ports[name]!]));
    return this.#ports;
  }

  release(): void {
    for (const name of Object.keys(this.#ports)) this.#drop(name);
  }

  async #fix(name: string, port: number): Promise<void> {
    if (!(await isFree(port))) {
      throw new ReeveError('conflict', `port ${port} (${name}) is held by another program`, {
        hint: `See who: reeve who ${port}`,
      });
    }
    this.#ports[name] = port;
    this.#source.taken.add(port);
  }

  /** The port that is given up stays taken until there is another, so that it is not chosen again. */
  async #choose(name: string): Promise<void> {
    const { taken } = this.#source;
    for (let tries = 0; tries < maxTries; tries++) {
      const port = await this.#source.choosePort(taken);
      if (taken.has(port)) continue;
      this.#drop(name);
      this.#ports[name] = port;
      taken.add(port);
      return;
    }
    throw new ReeveError('conflict', `no free port was found in ${maxTries} tries`);
  }

  #drop(name: string): void {
    const port = this.#ports[name];
    if (port === undefined) return;
    delete this.#ports[name];
    this.#source.taken.delete(port);
  }
}

/** Binds every address, then IPv4's loopback: some systems let a wildcard bind pass over a specific one. */
async function isFree(port: number): Promise<boolean> {
  return (await bindsTo('::', port)) && (await bindsTo('127.0.0.1', port));
}

function bindsTo(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = errorCode(error);
      // No IPv6 here: the other bind decides.
      if (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL') resolve(true);
      else if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
