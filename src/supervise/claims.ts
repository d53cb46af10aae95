// The ports of one instance: kept from one start to the next, never given to two.
import { createServer } from 'node:net';
import type { ServiceConfig } from '../config/index.ts';
import { errorCode } from '../core/errors.ts';
import type { Ports } from './launch.ts';
import type { Stranger } from './sight.ts';

export interface PortLease {
  readonly port: number;
  /** It has run out, so that it may be somebody else's by now. */
  readonly isLost: boolean;
  /** Holds the port while nobody listens there. Does nothing where that cannot be done. */
  park(): Promise<void>;
  unpark(): void;
  /** This process of ours was seen to listen there. Does not wait for the book, and says it once. */
  bound(pid: number): void;
  /** `stolen`: the evidence, where somebody else has bound it. Never rejects. */
  release(stolen?: Record<string, unknown>): Promise<void>;
}

export interface PortSource {
  /** A port that nobody else has, by preference the one that this name had before. */
  lease(name: string): Promise<PortLease>;
}

/** A port that is somebody else's by now. */
export interface LostPort {
  name: string;
  port: number;
  /** Null where it cannot be told. */
  holder: Stranger | null;
  /** The one in its place; null: the instance waits until it is free. */
  movedTo: number | null;
}

export interface Claim {
  ports: Ports;
  lost: LostPort[];
}

interface Held {
  port: number;
  /** Null for a fixed port. */
  lease: PortLease | null;
}

const firstUnprivileged = 1024;

export class Claims {
  readonly #instance: string;
  readonly #source: PortSource;
  readonly #holderOf: (port: number) => Promise<Stranger | null>;
  #held: ReadonlyMap<string, Held> = new Map();

  constructor(instance: string, source: PortSource, holderOf: (port: number) => Promise<Stranger | null>) {
    this.#instance = instance;
    this.#source = source;
    this.#holderOf = holderOf;
  }

  /** In the order of the configuration, whatever was kept: the first is PORT. */
  get ports(): Ports {
    return Object.fromEntries([...this.#held].map(([name, { port }]) => [name, port]));
  }

  /**
   * The ports for the next start: the ones it had, unless somebody else holds them by now. With one to wait for
   * (`movedTo` null) it must not start, but claim again later.
   * @throws ReeveError `conflict` when the pool has none left.
   */
  async claim({
    ports: wanted,
    restart,
    park,
  }: Pick<ServiceConfig, 'ports' | 'restart' | 'park'>): Promise<Claim> {
    const lost: LostPort[] = [];
    const before = this.#held;
    const held = new Map<string, Held>();
    const keep = (name: string, one: Held) => {
      held.set(name, one);
      // What is claimed so far is ours to release, whatever comes.
      this.#held = new Map([...before, ...held]);
    };
    for (const [name, want] of Object.entries(wanted)) {
      const had = before.get(name);
      const port = want === 'auto' ? (had?.lease && !had.lease.isLost ? had.port : null) : want;
      const isFree = port !== null && (await bindsEverywhere(port));
      const policy = restart.portTaken ?? (want === 'auto' ? 'move' : 'wait');
      if (port !== null && (isFree || policy === 'wait')) {
        if (had?.port !== port) await had?.lease?.release();
        keep(name, had?.port === port ? had : { port, lease: null });
        if (!isFree) lost.push({ name, port, holder: await this.#holderOf(port), movedTo: null });
        continue;
      }
      const holder = port === null ? null : await this.#holderOf(port);
      await had?.lease?.release(port === null ? undefined : { holder: holder?.words ?? null });
      const lease = await this.#source.lease(`${this.#instance}/${name}`);
      keep(name, { port: lease.port, lease });
      if (port !== null) lost.push({ name, port, holder, movedTo: lease.port });
    }
    for (const [name, { lease }] of before) if (!held.has(name)) await lease?.release();
    this.#held = held;
    if (park) await this.park();
    else this.unpark();
    return { ports: this.ports, lost };
  }

  async park(): Promise<void> {
    await Promise.all([...this.#held.values()].map(({ lease }) => lease?.park()));
  }

  unpark(): void {
    for (const { lease } of this.#held.values()) lease?.unpark();
  }

  bound(pid: number): void {
    for (const { lease } of this.#held.values()) lease?.bound(pid);
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = new Map();
    await Promise.all([...held.values()].map(({ lease }) => lease?.release()));
  }
}

/** Binds every address, then IPv4's loopback: some systems let a wildcard bind pass over a specific one. */
async function bindsEverywhere(port: number): Promise<boolean> {
  return (await bindsTo('::', port)) && (await bindsTo('127.0.0.1', port));
}

function bindsTo(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = errorCode(error);
      // No IPv6 here: the other bind decides.
      if (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL') resolve(true);
      else if (code === 'EADDRINUSE') resolve(false);
      // Windows says so of a port that is held exclusively; elsewhere the program may be allowed what reeve is not.
      else if (code === 'EACCES') resolve(port < firstUnprivileged);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
