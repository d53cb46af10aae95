// Real sockets around one engine: listeners, targets, clients, and a record of what the engine reports.
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Config, configSchema } from '../../src/config/index.ts';
import { type Context, type ReeveEvent, silentLog, systemClock } from '../../src/core/index.ts';
import { openListener, type RefusalReason } from '../../src/listen/index.ts';
import type {
  ConnectionEnd,
  DatagramDrop,
  Engine,
  EngineListener,
  EngineReports,
  ListenerPlan,
  Target,
} from '../../src/relay/index.ts';
import type { Sink } from '../../src/sinks/index.ts';

export type MakeEngine = (context: Context) => Engine;

export function testContext(events: ReeveEvent[] = []): Context {
  return {
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    emit: (event) => events.push(event),
  };
}

/** Remembers every report; `ended` also waits for the n-th end. */
export class Recorder implements EngineReports {
  readonly opens: string[] = [];
  readonly refusals: RefusalReason[] = [];
  readonly failures: { target: string; code: string }[] = [];
  readonly took: string[] = [];
  readonly ends: ConnectionEnd[] = [];
  readonly datagrams: Partial<Record<'received' | 'sent' | DatagramDrop, number>> = {};
  bytesIn = 0;
  bytesOut = 0;
  private readonly news = new EventEmitter();

  opened(_listener: string, client: string): void {
    this.opens.push(client);
    this.news.emit('news');
  }
  refused(_listener: string, _client: string, reason: RefusalReason): void {
    this.refusals.push(reason);
    this.news.emit('news');
  }
  received(_listener: string, bytes: number): void {
    this.bytesIn += bytes;
    this.news.emit('news');
  }
  sent(_listener: string, bytes: number): void {
    this.bytesOut += bytes;
    this.news.emit('news');
  }
  datagram(_listener: string, what: 'received' | 'sent' | DatagramDrop): void {
    this.datagrams[what] = (this.datagrams[what] ?? 0) + 1;
    this.news.emit('news');
  }
  targetFailed(_listener: string, target: string, code: string): void {
    this.failures.push({ target, code });
  }
  targetTook(_listener: string, target: string): void {
    this.took.push(target);
  }
  ended(_listener: string, end: ConnectionEnd): void {
    this.ends.push(end);
    this.news.emit('news');
  }

  /** Resolves as soon as a report makes it true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.news, 'news');
  }

  async end(number = 1): Promise<ConnectionEnd> {
    await this.until(() => this.ends.length >= number);
    return this.ends[number - 1]!;
  }
}

export interface Serving {
  listener: EngineListener;
  reports: Recorder;
  port: number;
  plan: ListenerPlan;
}

export interface ServeOptions {
  targets?: Target[];
  sink?: Sink | null;
  /** Sections of the listener's configuration, as a file would have them. */
  config?: Record<string, unknown>;
  /** Parts of the plan that the daemon reads from files. */
  plan?: Pick<ListenerPlan, 'credentials' | 'targetTls' | 'routes'>;
}

export function makePlan({ targets = [], sink = null, config = {}, plan = {} }: ServeOptions): ListenerPlan {
  const destination = sink ? { sink: 'events' } : { balance: { targets: ['127.0.0.1:1'] } };
  const whole: Config = configSchema.parse({
    listeners: { web: { bind: ['127.0.0.1:0'], ...destination, ...config } },
    sinks: { events: { stdout: true } },
  });
  return { name: 'web', config: whole.listeners.web!, targets, sink, ...plan };
}

/** A listener on a loopback port of the system's choice, drained when the test is over. */
export async function serve(makeEngine: MakeEngine, options: ServeOptions): Promise<Serving> {
  const context = testContext();
  const plan = makePlan(options);
  const { v6only, backlog, conflict, bind } = plan.config;
  const binding = await openListener(
    { name: 'web', endpoint: bind[0]!, v6only, backlog, conflict },
    { context, explain: async () => 'nobody', evict: async () => {} },
    AbortSignal.timeout(10_000),
  );
  const reports = new Recorder();
  const listener = makeEngine(context).serve(plan, [binding], reports);
  onTestFinished(() => listener.drain(0));
  return { listener, reports, port: binding.port, plan };
}

/** A real server that hands each connection to `serveOne`; its sockets die with the test. */
export async function startTarget(
  serveOne: (socket: Socket) => void,
  settings: Partial<Target> = {},
): Promise<Target & { sockets: Set<Socket>; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serveOne(socket);
    server.emit('served', socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { ...target((server.address() as AddressInfo).port, settings), sockets, server };
}

/** The engine's connection to it: what has passed may be told before the target has accepted. */
export async function arrived(place: { sockets: Set<Socket>; server: Server }): Promise<Socket> {
  const [first] = place.sockets;
  return first ?? ((await once(place.server, 'served')) as [Socket])[0];
}

export function target(port: number, settings: Partial<Target> = {}): Target {
  const place = { id: `127.0.0.1:${port}`, host: '127.0.0.1', port };
  return { ...place, weight: 1, backup: false, verdict: 'up', draining: false, max: null, ...settings };
}

/** A target that nobody listens on any more. */
export async function refusingTarget(settings: Partial<Target> = {}): Promise<Target> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return target(port, settings);
}

export const echo = (socket: Socket) => void socket.pipe(socket);

/** Says its name, then closes. */
export const says = (name: string) => (socket: Socket) => void socket.end(name);

export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything until the end of the stream; rejects when it is cut. Leaves the other direction open. */
export function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => resolve(Buffer.concat(chunks)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an end')));
    socket.resume();
  });
}

/** What one short connection answers. */
export async function ask(port: number): Promise<string> {
  const socket = await dial(port);
  socket.end();
  return (await readAll(socket)).toString();
}

/** What a client meets that is not served: a reset, which may come while it still believes to be connecting. */
export function turnedAway(port: number): Promise<string | null> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  return cutCode(socket);
}

/** Unlike `once`, does not mind an error before. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** A number that has stopped growing: the same for fifteen looks, 20 ms apart. */
export async function settled(value: () => number): Promise<number> {
  let last = -1;
  for (let same = 0; same < 15; same = value() === last ? same + 1 : 0) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return last;
}

/** The code of the error that a connection ends with; null for a proper end. */
export async function cutCode(socket: Socket): Promise<string | null> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    socket.once('end', () => resolve(null));
  });
}
