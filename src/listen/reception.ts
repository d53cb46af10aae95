// What comes before a connection is served: who the client is (PROXY header), whether it may come in.
import type { BlockList, Socket } from 'node:net';
import { unmapped } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { GreetingRefusal, RefusalReason } from './binding.ts';
import { blockListOf, isListed } from './block-list.ts';
import { readPreface } from './preface.ts';
import type { HostAndPort, ProxyHeader, ProxyVersion } from './proxy-header.ts';
import { parseProxyHeader } from './proxy-protocol.ts';

/** What is asked of a connection before it is served. */
export interface ReceptionTerms {
  proxyProtocol: { accept: boolean | ProxyVersion; from?: string[] | undefined };
  limits: { greeting: number; greetings: number };
}

/** A connection that may be served. */
export interface Guest {
  socket: Socket;
  /** The client: as the PROXY header has it, else the peer. */
  client: HostAndPort;
  /** The address that it has come to, on this machine. */
  local: HostAndPort;
  heard: ProxyHeader | null;
}

/** Whom the reception works for. Every `null` of `admit` is answered by `release`, here or by whoever has the guest. */
export interface Host {
  admit(address: string): RefusalReason | null;
  release(address: string): void;
  welcome(guest: Guest): void;
  /** Called before the socket is cut. */
  refused(client: string, reason: RefusalReason, why: string | null): void;
  /** Ends a connection that is not wanted. */
  cut(socket: Socket): void;
}

export class Reception {
  private terms: ReceptionTerms;
  private trusted: BlockList | null = null;
  private readonly host: Host;
  private readonly arrivals = new Set<Arrival>();
  private readonly emptied: (() => void)[] = [];

  constructor(terms: ReceptionTerms, host: Host) {
    this.terms = terms;
    this.host = host;
    this.update(terms);
  }

  /** For those who come from now on. */
  update(terms: ReceptionTerms): void {
    this.terms = terms;
    const { accept, from } = terms.proxyProtocol;
    this.trusted = accept === false ? null : blockListOf(from ?? []);
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
    const arrival = new Arrival({ socket, client: peer, local, heard: null }, this.host);
    const { proxyProtocol, limits } = this.terms;
    if (!this.trusted || proxyProtocol.accept === false) {
      if (arrival.admit()) this.host.welcome(arrival.guest);
    } else if (!isListed(this.trusted, peer.address)) {
      arrival.refuse('proxy-untrusted');
    } else if (this.arrivals.size >= limits.greetings) {
      arrival.refuse('greetings');
    } else {
      this.arrivals.add(arrival);
      arrival.greet(proxyProtocol.accept, limits.greeting, (guest) => {
        this.arrivals.delete(arrival);
        if (guest) this.host.welcome(guest);
        if (this.arrivals.size === 0) for (const resolve of this.emptied.splice(0)) resolve();
      });
    }
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
    for (const arrival of [...this.arrivals]) arrival.stop();
  }
}

/** One connection on its way in. */
class Arrival {
  readonly guest: Guest;
  private readonly host: Host;
  private admitted = false;
  private giveUp: () => void = nothing;
  private over: (guest: Guest | null) => void = nothing;

  constructor(guest: Guest, host: Host) {
    this.guest = guest;
    this.host = host;
  }

  greet(accept: true | ProxyVersion, timeoutMs: number, over: (guest: Guest | null) => void): void {
    this.over = over;
    const { socket } = this.guest;
    const parse = (bytes: Buffer) => parseProxyHeader(bytes, accept);
    this.giveUp = readPreface(socket, parse, timeoutMs, (preface) => {
      if ('failure' in preface) {
        this.refuse(reasons[preface.failure], preface.why);
        return;
      }
      const header = preface.value;
      this.guest.heard = header;
      const { ends } = header;
      // A path has no address that a limit could count by: there the proxy itself is the client.
      if (ends && ends.family !== 'unix') {
        this.guest.client = { address: unmapped(ends.source.address), port: ends.source.port };
      }
      if (this.admit()) over(this.guest);
    });
  }

  admit(): boolean {
    const refusal = this.host.admit(this.guest.client.address);
    if (refusal) this.refuse(refusal);
    else this.admitted = true;
    return refusal === null;
  }

  refuse(reason: RefusalReason, why: string | null = null): void {
    const { client, socket } = this.guest;
    if (this.admitted) this.host.release(client.address);
    this.host.refused(formatHostPort(client.address, client.port), reason, why);
    socket.on('error', nothing);
    this.host.cut(socket);
    this.over(null);
  }

  stop(): void {
    this.giveUp();
    this.refuse('draining');
  }
}

const reasons = {
  wrong: 'proxy-invalid',
  timeout: 'proxy-timeout',
  gone: 'gone',
} as const satisfies Record<string, GreetingRefusal>;

function nothing(): void {}
