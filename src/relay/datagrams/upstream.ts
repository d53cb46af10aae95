// A UDP socket connected to one target: only that one is heard on it, and the kernel tells where nobody is there.
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { errorCode } from '../../core/errors.ts';
import { asItIs } from '../../listen/index.ts';
import type { Target } from '../engine.ts';
import { dropOf } from './session.ts';

export interface UpstreamEvents {
  heard(datagram: Buffer): void;
  /** Once at the most: it is closed then. `code` is that of ICMP, of the name's look-up or of this machine. */
  failed(code: string): void;
}

/** Called once for each datagram; null where the kernel took it. */
type Done = (error: Error | null) => void;

export class Upstream {
  readonly target: Target;
  private readonly events: UpstreamEvents;
  private socket: Socket | null = null;
  private ready = false;
  private closed = false;
  /** Said before the socket was connected. */
  private early: { datagram: Buffer; done: Done }[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(target: Target, timeoutMs: number, events: UpstreamEvents) {
    this.target = target;
    this.events = events;
    this.timer = setTimeout(() => this.fail(withCode('ETIMEDOUT')), timeoutMs);
    const { host } = target;
    if (isIP(host) !== 0) this.open(host);
    else
      lookup(host, (error, address) => {
        if (error) this.fail(error);
        else this.open(address);
      });
  }

  send(datagram: Buffer, done: Done): void {
    if (this.closed) done(withCode('ECANCELED'));
    else if (!this.ready) this.early.push({ datagram, done });
    else
      this.socket!.send(datagram, (error) => {
        done(error);
        if (error && dropOf(error) === null) this.fail(error);
      });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
    for (const { done } of this.early.splice(0)) done(withCode('ECANCELED'));
  }

  private open(address: string): void {
    if (this.closed) return;
    const { port } = this.target;
    const socket = createSocket({ type: isIP(address) === 6 ? 'udp6' : 'udp4', lookup: asItIs });
    this.socket = socket;
    socket.on('error', (error) => this.fail(error));
    socket.on('message', (datagram) => {
      if (!this.closed) this.events.heard(datagram);
    });
    socket.connect(port, address, () => {
      if (this.closed) return;
      clearTimeout(this.timer);
      // Nobody is there, and the port that this socket was given is the very one.
      const own = socket.address();
      if (own.port === port && own.address === socket.remoteAddress().address) {
        this.fail(withCode('ECONNREFUSED'));
        return;
      }
      this.ready = true;
      for (const { datagram, done } of this.early.splice(0)) this.send(datagram, done);
    });
  }

  private fail(error: Error): void {
    if (this.closed) return;
    this.close();
    this.events.failed(errorCode(error) ?? 'EUNKNOWN');
  }
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}
