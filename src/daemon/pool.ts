// The ports of services: leased from the book that every reeve process of this user shares, and kept by one heartbeat.
import { hostname } from 'node:os';
import type { Config } from '../config/index.ts';
import type { Log } from '../core/context.ts';
import { errorMessage, isReeveError } from '../core/errors.ts';
import { leaseTimes } from '../core/lease.ts';
import type { PortRange } from '../core/range.ts';
import {
  type ConsulBookSettings,
  type Granted,
  type LeaseBook,
  openLeaseBook,
  ownProcess,
} from '../leases/index.ts';
import type { PortLease, PortSource } from '../supervise/index.ts';
import type { Parked, System } from '../system/index.ts';

type Spoken = Pick<Config, 'ports' | 'services' | 'listeners' | 'control'>;

export interface Pool extends PortSource {
  /** Counts for ports that are leased from now on. */
  configure(config: Spoken): void;
  /** The book itself, opened with the first who asks. */
  book(): Promise<LeaseBook>;
  /** Gives back what is still leased. */
  close(): Promise<void>;
}

export interface PoolOptions {
  system: System;
  log: Log;
  env: NodeJS.ProcessEnv;
  /** Where the book is kept when this user's shared one cannot be opened. */
  folder: string;
  config: Spoken;
  /** Where leases are kept in place of a book of this machine. */
  consul?: ConsulBookSettings | undefined;
}

/** The book is opened with the first lease: without an auto port none is needed. */
export function createPool(options: PoolOptions): Pool {
  const { system, log, consul } = options;
  let { config } = options;
  const leases = new Map<Granted, HeldPort>();
  const closing = new AbortController();
  let opening: Promise<LeaseBook> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const open = () => {
    opening ??= openBook(options).catch((error) => {
      // Whoever asks next tries again.
      opening = null;
      throw error;
    });
    timer ??= setInterval(() => void beat(), leaseTimes.heartbeat).unref();
    return opening;
  };
  const beat = async () => {
    if (!opening || leases.size === 0) return;
    const asked = [...leases.keys()];
    try {
      const kept = new Set((await (await opening).renew(asked)).map(({ id }) => id));
      for (const granted of asked) {
        if (kept.has(granted.id)) continue;
        // This process stood still for longer than the lease lasts. The next start asks anew.
        leases.get(granted)?.lose();
        if (leases.delete(granted))
          log.warn({ port: granted.port }, `the lease of ${granted.name} has run out`);
      }
    } catch (error) {
      // The lease bears two more beats.
      log.warn({ error: errorMessage(error) }, 'cannot renew the leases of services');
    }
  };
  const lease = async (name: string): Promise<PortLease> => {
    const book = await open();
    const request = {
      // In a pool of several machines each keeps to ports of its own.
      name: `service/${name}${consul ? `@${hostname()}` : ''}`,
      owner: await ownProcess(system),
      ttlMs: consul ? leaseTimes.remoteTtl : leaseTimes.heldTtl,
      range: config.ports.range,
      exclude: spokenFor(config),
    };
    const [granted] = await book.grant(request, closing.signal);
    const held = new HeldPort(
      granted!.port,
      { system, log },
      {
        markBound: (pid) => book.markBound(granted!, { pid }),
        async giveBack(evidence) {
          if (!leases.delete(granted!)) return;
          if (evidence) await book.note(granted!, 'stolen', evidence);
          await book.release([granted!]);
        },
      },
    );
    leases.set(granted!, held);
    return held;
  };
  return {
    lease(name) {
      // In turn, so that the first instance gets the lowest port.
      const granted = turn.then(() => lease(name));
      turn = granted.catch(() => {});
      return granted;
    },
    configure(next) {
      config = next;
    },
    book: open,
    async close() {
      closing.abort();
      clearInterval(timer);
      await Promise.all([...leases.values()].map((held) => held.release()));
      (await opening?.catch(() => null))?.close();
    },
  };
}

async function openBook({ system, env, folder, log, consul }: PoolOptions): Promise<LeaseBook> {
  if (consul) return openLeaseBook({ system, env, consul });
  try {
    return await openLeaseBook({ system, env });
  } catch (error) {
    if (isReeveError(error) && error.code === 'usage') throw error;
    log.warn(
      { error: errorMessage(error) },
      `this user's lease book cannot be opened; one in ${folder} serves`,
    );
    return openLeaseBook({ system, env, folder });
  }
}

/** What the configuration gives to somebody already, and what it keeps out. */
export function spokenFor({ ports, services, listeners, control }: Spoken): PortRange[] {
  const fixed = Object.values(services).flatMap((service) => Object.values(service.ports));
  const bound = Object.values(listeners).flatMap(({ bind }) => bind.map(({ port }) => port));
  const taken = [...ports.exclude, ...fixed, ...bound, control.listen.port];
  const numbers = taken.filter((port): port is number => typeof port === 'number' && port > 0);
  return [...new Set(numbers)].map((port) => ({ first: port, last: port }));
}

/** What the book is told of one port. */
interface Written {
  markBound(pid: number): Promise<unknown>;
  giveBack(stolen?: Record<string, unknown>): Promise<void>;
}

class HeldPort implements PortLease {
  readonly port: number;
  isLost = false;
  readonly #tools: Pick<PoolOptions, 'system' | 'log'>;
  readonly #written: Written;
  #parked: Parked | null = null;
  /** Whether it shall be parked: parking takes a moment. */
  #wanted = false;
  #isBound = false;

  constructor(port: number, tools: Pick<PoolOptions, 'system' | 'log'>, written: Written) {
    this.port = port;
    this.#tools = tools;
    this.#written = written;
  }

  async park(): Promise<void> {
    if (this.#wanted) return;
    this.#wanted = true;
    try {
      const parked = await this.#tools.system.binder.park(this.port);
      if (this.#wanted && !this.#parked) this.#parked = parked;
      else parked.release();
    } catch (error) {
      this.#wanted = false;
      // Somebody has it, which the next start finds out; or the platform cannot, and the lease alone holds.
      this.#tools.log.debug({ port: this.port, error: errorMessage(error) }, 'cannot park a port');
    }
  }

  unpark(): void {
    this.#wanted = false;
    this.#parked?.release();
    this.#parked = null;
  }

  bound(pid: number): void {
    if (this.#isBound || this.isLost) return;
    this.#isBound = true;
    this.#written.markBound(pid).catch((error) => {
      // The next time it is ready says it again.
      this.#isBound = false;
      this.#tools.log.warn({ port: this.port, error: errorMessage(error) }, 'cannot mark a lease as bound');
    });
  }

  lose(): void {
    this.isLost = true;
    this.unpark();
  }

  async release(stolen?: Record<string, unknown>): Promise<void> {
    this.unpark();
    await this.#written
      .giveBack(stolen)
      .catch((error) =>
        this.#tools.log.warn({ port: this.port, error: errorMessage(error) }, 'cannot give back a lease'),
      );
  }
}
