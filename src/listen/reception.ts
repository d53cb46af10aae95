// What comes before a connection is served: who the client is, whether it may come in, and what it is called for.

import type { Socket } from 'node:net';
import type { ListenerConfig } from '../config/index.ts';
import { unmapped } from '../core/address.ts';
import { AddressSet } from '../core/address-set.ts';
import { Arrival, type Guest, type Host, type TlsDesk } from './arrival.ts';
import type { Credentials } from './credentials.ts';
import { Lobby } from './lobby.ts';
import { matchName } from './server-names.ts';
import { Terminator } from './terminator.ts';

/** What is asked of a connection before it is served. */
export type ReceptionTerms = Pick<ListenerConfig, 'proxyProtocol' | 'tls'> & {
  limits: Pick<ListenerConfig['limits'], 'greeting' | 'greetings'>;
};

export class Reception {
  private terms!: ReceptionTerms;
  private trusted: AddressSet | null = null;
  private desk: TlsDesk | null = null;
  private credentials: Credentials | null = null;
  private readonly host: Host;
  private readonly arrivals = new Lobby<Arrival>();
  private readonly emptied: (() => void)[] = [];

  constructor(terms: ReceptionTerms, credentials: Credentials | null, host: Host) {
    this.host = host;
    this.update(terms, credentials);
  }

  /** For those who come from now on. */
  update(terms: ReceptionTerms, credentials: Credentials | null): void {
    const { accept, from } = terms.proxyProtocol;
    this.trusted = accept === false ? null : new AddressSet(from ?? []);
    const same = this.terms?.tls === terms.tls && this.credentials === credentials;
    this.terms = terms;
    this.credentials = credentials;
    if (!same) this.desk = deskOf(terms, credentials);
  }

  receive(socket: Socket): void {
    const { remoteAddress, remotePort, localAddress = '', localPort = 0 } = socket;
    // Gone before it was looked at: there is nobody to serve, and no name to report.
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const peer = { address: unmapped(remoteAddress), port: remotePort };
    const local = { address: unmapped(localAddress), port: localPort };
    const guest: Guest = { socket, client: peer, local, heard: null, route: null, protocol: null };
    const { proxyProtocol, limits } = this.terms;
    const arrival = new Arrival(guest, this.host, limits.greeting, (served) => this.leave(arrival, served));
    if (this.trusted && !this.trusted.has(peer.address)) {
      arrival.refuse('proxy-untrusted');
    } else if (!this.makeRoom(peer.address)) {
      arrival.refuse('greetings');
    } else {
      this.arrivals.add(arrival, peer.address);
      arrival.begin(proxyProtocol.accept, this.desk);
    }
  }

  /** Whether there is room for one more. */
  private makeRoom(address: string): boolean {
    if (this.arrivals.size < this.terms.limits.greetings) return true;
    const leaves = this.arrivals.whoYieldsTo(address);
    leaves?.stop('greetings');
    return leaves !== null;
  }

  /** Connections that are not yet served. */
  get waiting(): number {
    return this.arrivals.size;
  }

  /** Resolves when everybody who is here was served or refused: within `limits.greeting` for each part. */
  async settled(): Promise<void> {
    if (this.arrivals.size > 0) await new Promise<void>((resolve) => this.emptied.push(resolve));
  }

  /** Ends them now. */
  stop(): void {
    for (const arrival of this.arrivals.all()) arrival.stop('draining');
  }

  private leave(arrival: Arrival, served: boolean): void {
    this.arrivals.delete(arrival);
    if (served) this.host.welcome(arrival.guest);
    if (this.arrivals.size === 0) for (const resolve of this.emptied.splice(0)) resolve();
  }
}

function deskOf({ tls }: ReceptionTerms, credentials: Credentials | null): TlsDesk | null {
  if (!tls) return null;
  const names = new Map(Object.entries(tls.sni));
  const refuses = tls.unknownName === 'refuse';
  const isKnown = (name: string) => !refuses || matchName(name, names) !== null;
  return {
    terminator: credentials && new Terminator(credentials, isKnown),
    refuses,
    routeOf: (name) => matchName(name, names),
  };
}
