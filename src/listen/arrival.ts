// One connection on its way in: PROXY header, admission, then TLS or a look at its ClientHello.
import type { Socket } from 'node:net';
import { unmapped } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { GreetingRefusal, RefusalReason } from './binding.ts';
import { parseClientHello } from './client-hello.ts';
import { readPreface } from './preface.ts';
import type { HostAndPort, ProxyHeader, ProxyVersion } from './proxy-header.ts';
import { parseProxyHeader } from './proxy-protocol.ts';
import type { Terminator } from './terminator.ts';

/** A connection that may be served. */
export interface Guest {
  /** What the client says, without TLS where that ends here. */
  socket: Socket;
  /** The client: as the PROXY header has it, else the peer. */
  client: HostAndPort;
  /** The address that it has come to, on this machine. */
  local: HostAndPort;
  heard: ProxyHeader | null;
  /** Which of the configured server names it asked for. */
  route: string | null;
  /** Agreed on in the handshake (ALPN). */
  protocol: string | null;
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

/** How TLS is met. */
export interface TlsDesk {
  /** Null: it is passed through. */
  terminator: Terminator | null;
  /** Clients without a known name. */
  refuses: boolean;
  routeOf(serverName: string | null): string | null;
}

export class Arrival {
  readonly guest: Guest;
  private readonly host: Host;
  private readonly timeoutMs: number;
  private readonly left: (served: boolean) => void;
  private admitted = false;
  private giveUp: () => void = nothing;

  /** `left` is called once, unless `refuse` comes before `begin`. */
  constructor(guest: Guest, host: Host, timeoutMs: number, left: (served: boolean) => void) {
    this.guest = guest;
    this.host = host;
    this.timeoutMs = timeoutMs;
    this.left = left;
  }

  begin(accept: boolean | ProxyVersion, desk: TlsDesk | null): void {
    if (accept === false) {
      this.enter(desk);
      return;
    }
    const parse = (bytes: Buffer) => parseProxyHeader(bytes, accept);
    this.giveUp = readPreface(this.guest.socket, parse, this.timeoutMs, (preface) => {
      if ('failure' in preface) {
        this.refuse(proxyReasons[preface.failure], preface.why);
        return;
      }
      this.guest.heard = preface.value;
      const { ends } = preface.value;
      // A path has no address that a limit could count by: there the proxy itself is the client.
      if (ends && ends.family !== 'unix') {
        this.guest.client = { address: unmapped(ends.source.address), port: ends.source.port };
      }
      this.enter(desk);
    });
  }

  refuse(reason: RefusalReason, why: string | null = null): void {
    const { client, socket } = this.guest;
    if (this.admitted) this.host.release(client.address);
    this.host.refused(formatHostPort(client.address, client.port), reason, why);
    socket.on('error', nothing);
    this.host.cut(socket);
    this.left(false);
  }

  stop(reason: 'draining' | 'greetings'): void {
    this.giveUp();
    this.refuse(reason);
  }

  private enter(desk: TlsDesk | null): void {
    const refusal = this.host.admit(this.guest.client.address);
    if (refusal) {
      this.refuse(refusal);
      return;
    }
    this.admitted = true;
    if (!desk) this.left(true);
    else if (desk.terminator) this.secure(desk, desk.terminator);
    else this.look(desk);
  }

  private look(desk: TlsDesk): void {
    this.giveUp = readPreface(this.guest.socket, parseClientHello, this.timeoutMs, (preface) => {
      if ('failure' in preface) this.refuse(tlsReasons[preface.failure], preface.why);
      else this.route(desk, preface.value.serverName);
    });
  }

  private secure(desk: TlsDesk, terminator: Terminator): void {
    this.giveUp = terminator.secure(this.guest.socket, this.timeoutMs, (handshake) => {
      if ('failure' in handshake) {
        this.refuse(handshake.failure, handshake.why);
        return;
      }
      this.guest.socket = handshake.secured;
      this.guest.protocol = handshake.protocol;
      this.route(desk, handshake.serverName);
    });
  }

  private route(desk: TlsDesk, serverName: string | null): void {
    this.guest.route = desk.routeOf(serverName);
    if (this.guest.route === null && desk.refuses)
      this.refuse('server-name', serverName ?? 'none was asked for');
    else this.left(true);
  }
}

const proxyReasons = {
  wrong: 'proxy-invalid',
  timeout: 'proxy-timeout',
  gone: 'gone',
} as const satisfies Record<string, GreetingRefusal>;

const tlsReasons = {
  wrong: 'tls-invalid',
  timeout: 'tls-timeout',
  gone: 'gone',
} as const satisfies Record<string, GreetingRefusal>;

function nothing(): void {}
