// A bound UDP socket on node:dgram. Datagrams wait until somebody welcomes clients; each client then has its own hearer.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { closeSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Context } from '../core/context.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { errorMessage } from '../core/errors.ts';
import type { DatagramBinding, Line, Welcome } from './binding.ts';
import type { BindOptions, Inherited } from './server.ts';

/** Before anybody welcomes clients. */
const maxWaiting = 1024;

/** Linux cuts it down to net.core.rmem_max. The default holds some hundred datagrams, as one turn of the loop may bring. */
const receiveBuffer = 4 * 1024 * 1024;

/** Rejects with Node's own error, whose `code` the conflict policy reads. */
export async function hearOn(options: BindOptions, context: Context): Promise<BoundDatagrams> {
  const { host, port } = options.endpoint;
  const { address, family } = isIP(host) === 0 ? await lookup(host) : { address: host, family: isIP(host) };
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6 && options.v6only,
    lookup: asItIs,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
  try {
    socket.setRecvBufferSize(receiveBuffer);
  } catch (error) {
    // macOS refuses what is beyond kern.ipc.maxsockbuf: then the default stays.
    context.log.debug({ listener: options.name, error: errorMessage(error) }, 'receive buffer not enlarged');
  }
  return new BoundDatagrams(options, socket, socket.address(), context);
}

/** A socket that another process hears on: nothing is heard here before somebody welcomes clients. */
export function inheritDatagrams(options: BindOptions, from: Inherited, context: Context): BoundDatagrams {
  const type = isIP(from.address) === 6 ? 'udp6' : 'udp4';
  return new BoundDatagrams(options, createSocket({ type, lookup: asItIs }), from, context);
}

/** Node looks an address up for every datagram that is sent, one turn of the loop later. It needs no looking up. */
export function asItIs(
  address: string,
  _options: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, address, isIP(address));
}

export class BoundDatagrams implements DatagramBinding {
  readonly transport = 'udp';
  readonly endpoint: Endpoint;
  readonly address: string;
  readonly port: number;
  readonly v6only: boolean;
  verified: boolean | null = null;
  private readonly name: string;
  private readonly socket: Socket;
  private readonly context: Context;
  private welcome: Welcome | null = null;
  /** A descriptor that is not heard on yet. */
  private inherited: number | null = null;
  private readonly hearers = new Map<string, (datagram: Buffer) => void>();
  private waiting: { datagram: Buffer; from: RemoteInfo }[] = [];
  private lost = 0;
  private held = 0;
  private closed = false;
  /** Datagrams of our own, by their content: whenever they come, they are for nobody else. */
  private readonly expected = new Map<string, () => void>();

  constructor(
    options: BindOptions,
    socket: Socket,
    bound: { address: string; port: number } | Inherited,
    context: Context,
  ) {
    this.endpoint = options.endpoint;
    this.v6only = options.v6only;
    this.name = options.name;
    this.socket = socket;
    this.context = context;
    this.address = bound.address;
    this.port = bound.port;
    if ('fd' in bound) {
      this.inherited = bound.fd;
      this.verified = bound.verified;
    }
    socket.on('message', (datagram, from) => this.arrive(datagram, from));
    // Windows tells here of a client that is gone (WSAECONNRESET); the socket goes on hearing.
    socket.on('error', (error) =>
      context.log.warn({ listener: this.name, error: errorMessage(error) }, 'receive failed'),
    );
  }

  accept(welcome: Welcome): void {
    this.welcome = welcome;
    if (this.inherited !== null) this.socket.bind({ fd: this.inherited, exclusive: true });
    this.inherited = null;
    this.release();
  }

  listening(): boolean {
    return !this.closed;
  }

  descriptor(): number | null {
    const fd = this.inherited ?? handleOf(this.socket)?.fd ?? -1;
    return fd >= 0 ? fd : null;
  }

  /** What clients say from now on the other process hears; what they are still to be told is sent from here. */
  cede(): void {
    handleOf(this.socket)?.recvStop();
  }

  /** The socket itself goes when the last client has been left: until then its answers need it. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.waiting = [];
    this.closeIfLeft();
  }

  /** Keeps everybody waiting until the returned function is called. */
  hold(): () => void {
    this.held += 1;
    return () => {
      this.held -= 1;
      this.release();
    };
  }

  /** A datagram with this content is taken out, and told. */
  expect(content: Buffer, seen: () => void): void {
    this.expected.set(content.toString('latin1'), seen);
  }

  private arrive(datagram: Buffer, from: RemoteInfo): void {
    if (this.expected.size > 0 && this.isExpected(datagram)) return;
    const client = `${from.address} ${from.port}`;
    const hearer = this.hearers.get(client);
    if (hearer) hearer(datagram);
    else if (this.welcome && this.held === 0) this.meet(this.welcome, client, datagram, from);
    else if (this.waiting.length < maxWaiting) this.waiting.push({ datagram, from });
    else this.lost += 1;
  }

  private isExpected(datagram: Buffer): boolean {
    const seen = datagram.length < 64 ? this.expected.get(datagram.toString('latin1')) : undefined;
    seen?.();
    return seen !== undefined;
  }

  private meet(welcome: Welcome, client: string, datagram: Buffer, from: RemoteInfo): void {
    const { address, port } = from;
    const hearer = welcome({ address, port }, this.lineTo(client, address, port));
    if (!hearer) return;
    this.hearers.set(client, hearer);
    hearer(datagram);
  }

  private lineTo(client: string, address: string, port: number): Line {
    return {
      send: (datagram, done) => this.socket.send(datagram, port, address, done),
      hangUp: () => {
        this.hearers.delete(client);
        this.closeIfLeft();
      },
      listening: () => !this.closed,
    };
  }

  private release(): void {
    if (!this.welcome || this.held > 0) return;
    if (this.lost > 0) this.context.log.warn({ listener: this.name, lost: this.lost }, 'too many came early');
    this.lost = 0;
    for (const { datagram, from } of this.waiting.splice(0)) this.arrive(datagram, from);
  }

  private closeIfLeft(): void {
    if (!this.closed || this.hearers.size > 0) return;
    this.welcome = null;
    if (this.inherited !== null) closeSync(this.inherited);
    this.inherited = null;
    try {
      this.socket.close();
    } catch {
      // It was closed already.
    }
  }
}

/** Node has no public name for it: `_handle` warns (DEP0112), the symbol behind it does not. */
function handleOf(socket: Socket): { fd: number; recvStop(): void } | null {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  return symbol ? ((socket as never)[symbol] as { handle: never }).handle : null;
}
