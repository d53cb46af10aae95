// A listening TCP socket on node:net. Connections wait, paused, until somebody accepts them.
import { closeSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Context } from '../core/context.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { errorMessage } from '../core/errors.ts';
import type { Binding, DescriptorCalls, HandedOver } from './binding.ts';

export interface BindOptions {
  name: string;
  endpoint: Endpoint;
  v6only: boolean;
  backlog: number;
  /** A socket that listens already, and that others go on listening on when this one is closed. */
  fd?: number | undefined;
}

// Who comes before there is a handler waits here; the kernel's own queue (the backlog) is behind it.
const maxWaiting = 1024;

/** Rejects with Node's own error, whose `code` the conflict policy reads. */
export async function listenOn(options: BindOptions, context: Context): Promise<BoundListener> {
  const server = newServer();
  const { host, port } = options.endpoint;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const { fd, v6only: ipv6Only, backlog } = options;
    const where = fd === undefined ? { host, port, ipv6Only } : { fd };
    server.listen({ ...where, backlog, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return new BoundListener(options, server, context);
}

/** A socket that another process has opened, and listens on: nobody is accepted here before somebody asks for it. */
export interface Inherited {
  fd: number;
  address: string;
  port: number;
  verified: boolean | null;
}

export function inheritListener(options: BindOptions, from: Inherited, context: Context): BoundListener {
  return new BoundListener(options, from, context);
}

function newServer(): Server {
  return createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
}

export class BoundListener implements Binding {
  readonly transport = 'tcp';
  readonly endpoint: Endpoint;
  readonly address: string;
  readonly port: number;
  readonly v6only: boolean;
  verified: boolean | null = null;
  private readonly options: BindOptions;
  private readonly context: Context;
  /** Null while other processes accept on the socket, of which a descriptor is kept. */
  private server: Server | null;
  private handed: { fd: number; calls: DescriptorCalls | null } | null = null;
  private isShared: boolean;
  private handler: ((socket: Socket) => void) | null = null;
  private waiting: Socket[] = [];
  private held = 0;
  private closed = false;
  private readonly watchers = new Set<() => void>();

  constructor(options: BindOptions, from: Server | Inherited, context: Context) {
    this.endpoint = options.endpoint;
    this.v6only = options.v6only;
    this.options = options;
    this.context = context;
    this.isShared = 'fd' in from || options.fd !== undefined;
    this.server = 'fd' in from ? null : from;
    const bound = 'fd' in from ? from : (from.address() as AddressInfo);
    this.address = bound.address;
    this.port = bound.port;
    if ('fd' in from) {
      this.handed = { fd: from.fd, calls: null };
      this.verified = from.verified;
    } else this.listenTo(from);
  }

  accept(handler: (socket: Socket) => void): void {
    this.handler = handler;
    this.takeBack();
    this.release();
  }

  /** libuv cannot hold a socket without accepting on it (uv__server_io), so it is left with a descriptor alone. */
  handOver(calls: DescriptorCalls): HandedOver {
    if (this.server) {
      this.handed = { fd: calls.duplicate(descriptorOf(this.server)), calls };
      this.server.close();
      this.server = null;
    } else this.handed!.calls = calls;
    this.handler = null;
    const waiting = this.waiting.splice(0);
    for (const socket of waiting) socket.off('error', ignore);
    return { fd: this.handed!.fd, waiting };
  }

  descriptor(): number | null {
    const fd = this.server ? descriptorOf(this.server) : (this.handed?.fd ?? -1);
    return fd >= 0 ? fd : null;
  }

  cede(): void {
    this.isShared = true;
  }

  listening(): boolean {
    return !this.closed && (this.server?.listening ?? this.handed !== null);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    // Node's own callback waits for the connections too; the listening socket itself is gone at once.
    this.server?.close();
    if (this.handed) this.letGo(this.handed);
    this.handed = null;
    for (const socket of this.waiting.splice(0)) socket.destroy();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Keeps everybody waiting until the returned function is called, so that `claim` sees who comes. */
  hold(): () => void {
    this.held += 1;
    return () => {
      this.held -= 1;
      this.release();
    };
  }

  /** Takes the waiting connection that `wanted` picks; it is nobody else's from then on. */
  claim(wanted: (socket: Socket) => boolean): Socket | null {
    const at = this.waiting.findIndex(wanted);
    if (at < 0) return null;
    const [socket] = this.waiting.splice(at, 1);
    socket!.off('error', ignore);
    return socket!;
  }

  /** Calls back after each arrival while connections are held; returns how to stop that. */
  watch(arrived: () => void): () => void {
    this.watchers.add(arrived);
    return () => this.watchers.delete(arrived);
  }

  private listenTo(server: Server): void {
    server.on('connection', (socket) => this.arrive(socket));
    // An accept that fails (no descriptors left) must not end the process; the socket goes on listening.
    server.on('error', (error) =>
      this.context.log.warn({ listener: this.options.name, error: errorMessage(error) }, 'accept failed'),
    );
  }

  /** To end its listening would take the socket from others, too: the daemon before or after this one, systemd. */
  private letGo({ fd, calls }: NonNullable<typeof this.handed>): void {
    if (calls && !this.isShared) calls.end(fd);
    else closeSync(fd);
  }

  private takeBack(): void {
    if (!this.handed || this.closed) return;
    this.server = newServer();
    this.listenTo(this.server);
    // Node owns the descriptor from now on.
    this.server.listen({ fd: this.handed.fd, backlog: this.options.backlog });
    this.handed = null;
  }

  private arrive(socket: Socket): void {
    if (this.closed) {
      socket.destroy();
    } else if (this.handler && this.held === 0) {
      this.handler(socket);
    } else if (this.waiting.length >= maxWaiting) {
      socket.resetAndDestroy();
    } else {
      socket.on('error', ignore);
      this.waiting.push(socket);
      for (const watcher of this.watchers) watcher();
    }
  }

  private release(): void {
    if (!this.handler || this.held > 0) return;
    for (const socket of this.waiting.splice(0)) {
      socket.off('error', ignore);
      this.handler(socket);
    }
  }
}

/** Node has no public name for it. */
function descriptorOf(server: Server): number {
  return (server as unknown as { _handle: { fd: number } | null })._handle?.fd ?? -1;
}

function ignore(): void {}
