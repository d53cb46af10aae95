// What the operating system knows and does, behind one interface that each platform's folder implements.
import type { Family } from '../core/address.ts';
import type { Protocol } from '../core/endpoint.ts';
import type { PortRange } from '../core/range.ts';
import type { Elevation } from './elevation.ts';
import type { FirewallAnswer } from './firewall.ts';
import type { Managers } from './managers.ts';
import type { Privacy } from './privacy.ts';
import type { Scanner } from './scanner.ts';
import type { InheritedSocket, ServiceControl, ServiceManager } from './service-manager.ts';
import type { Startable } from './startable.ts';

export interface System {
  readonly platform: string;
  readonly sockets: Sockets;
  readonly processes: Processes;
  readonly containment: Containment;
  readonly binder: Binder;
  readonly scanner: Scanner;
  readonly host: Host;
  readonly managers: Managers;
  readonly elevation: Elevation;
  /** What is really started for a command, where that is another: scripts on Windows. @throws ReeveError `usage` */
  startable?(command: Startable): Startable;
  /** In which encoding programs print that do not use UTF-8, as TextDecoder or a code page (`cp850`) names it. Windows only. */
  outputEncoding?(): string;
  /** How many processes the kernel has ended for want of memory since it began; null where it does not say. */
  memoryKills?(): number | null;
  /** What runs this process as a service, by its environment; null where nothing does, or wants to hear of it. */
  serviceManager?(env: NodeJS.ProcessEnv): ServiceManager | null;
  /** Windows only. */
  readonly serviceControl?: ServiceControl;
  /** Windows only: elsewhere modes serve. */
  readonly privacy?: Privacy;
  /** Listening sockets that this process was started with. Each is its own from then on. */
  inheritedSockets?(env: NodeJS.ProcessEnv): InheritedSocket[];
}

/**
 * `bound` is a TCP socket that has a port but neither listens nor is connected;
 * `unconnected` is the usual state of a UDP socket that receives.
 */
export type SocketState =
  | 'listen'
  | 'bound'
  | 'unconnected'
  | 'established'
  | 'syn-sent'
  | 'syn-received'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'time-wait'
  | 'close-wait'
  | 'last-ack'
  | 'closing'
  | 'closed';

/** One row of the socket table. */
export interface SocketRow {
  protocol: Protocol;
  family: Family;
  address: string;
  port: number;
  remoteAddress: string | null;
  remotePort: number | null;
  state: SocketState;
  /** What the holder look-up knows it by (an inode on Linux); null where no process can own it (TIME_WAIT). */
  id: string | null;
  /** Numeric user that opened it. */
  uid: number | null;
  /** For a listener: connections waiting to be accepted, and the backlog. Otherwise bytes. */
  receiveQueue: number | null;
  sendQueue: number | null;
  /** Null where the table does not tell. */
  v6only: boolean | null;
  /** Null for this process's own network namespace, else a name for the other one (`net:[4026532281]`). */
  namespace: string | null;
}

export interface SocketQuery {
  protocols?: Protocol[];
  /** Local ports; all where absent. */
  ports?: PortRange[];
  /** Only sockets that can receive what nobody asked for: TCP `listen`, UDP `unconnected`. */
  listening?: boolean;
  /** Sockets of every network namespace that can be entered, each row named by its own. */
  allNamespaces?: boolean;
}

export interface SocketTable {
  rows: SocketRow[];
  /** How it was read: `sock_diag`, `procfs`, `iphlpapi`… */
  source: string;
  /** What this source cannot show, in words; empty where it shows all. */
  blindSpots: string[];
}

export interface Sockets {
  table(query?: SocketQuery): Promise<SocketTable>;
  /** The processes that have each of these sockets open, by socket id. */
  holders(ids: ReadonlySet<string>): Promise<Holders>;
}

/** What is known of one socket beyond its process. */
export interface SocketDetail {
  /** Which service of a process that several share, or of the kernel. */
  service: string | null;
  /** What http.sys serves on the socket, each with the PIDs behind it. */
  urls: string[];
}

export interface Holders {
  pids: ReadonlyMap<string, number[]>;
  /** By socket id, where there is something to tell. */
  details?: ReadonlyMap<string, SocketDetail>;
  /** Why a socket's holder is not known, where the system has a reason of its own for that. */
  hidden?: ReadonlyMap<string, { reason: string; needs: string | null }>;
  /** How many processes would not let themselves be looked into: a socket without holder may be theirs. */
  unreadable: number;
}

/** A process that cannot be mistaken for a later one with the same PID. */
export interface ProcessIdentity {
  pid: number;
  /** The system's own, exact notion of the start (clock ticks since boot on Linux); opaque, compare only. */
  start: string;
}

export interface ProcessFacts extends ProcessIdentity {
  parent: number | null;
  name: string;
  command: string[];
  user: string | null;
  uid: number | null;
  cwd: string | null;
  startedAt: Date | null;
  /** Windows services that run in this process; of one that several share, all of them. */
  services: string[];
  /**
   * systemd unit. `user@1000.service/app.service` is a unit of that user's own manager, since
   * the system's may have one of the same name.
   */
  unit: string | null;
  /** Container id, 64 hexadecimal digits or the runtime's own name. */
  container: string | null;
}

/** Just enough to draw the tree. */
export interface ProcessNode extends ProcessIdentity {
  parent: number | null;
  name: string;
}

/**
 * `gone`: it had ended, or its PID belongs to another process by now; nothing was signalled. `unheard`: it has no
 * way to be asked (on Windows neither window nor console); only SIGKILL is left.
 */
export type SignalOutcome = 'sent' | 'gone' | 'unheard';

export interface Processes {
  /** Null where there is no such process. Facts that may not be read are null one by one. */
  facts(pid: number): Promise<ProcessFacts | null>;
  list(): Promise<ProcessNode[]>;
  /** These and whoever they descend from. Absent where a list of all costs no more. */
  lines?(pids: Iterable<number>): Promise<ProcessNode[]>;
  identify(pid: number): Promise<ProcessIdentity | null>;
  /**
   * Signals exactly this process, never a successor on the same PID.
   * @throws ReeveError `privilege` where the system does not permit it.
   */
  signal(
    identity: ProcessIdentity,
    signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGHUP',
  ): Promise<SignalOutcome>;
  /** Resolves when this process has ended (a zombie has). Rejects when the signal aborts. */
  exited(identity: ProcessIdentity, signal: AbortSignal): Promise<void>;
  /** Of the process with all that it started; null where there is no such process. Absent where it is not told. */
  usage?(pid: number): Promise<ProcessUsage | null>;
}

export interface ProcessUsage {
  /** Only ever grows, but for children that end without being waited for. */
  cpuSeconds: number;
  residentBytes: number;
}

/** Keeping hold of processes that leave their family: orphans, and programs that detach themselves. */
export interface Containment {
  /** What works here; the rest does nothing, or is refused as `unsupported`. */
  readonly abilities: {
    adoptsOrphans: boolean;
    findsMarked: boolean;
    endsWithThis: boolean;
    readonly encloses: boolean;
  };
  /**
   * From now on, and for as long as this process lives, descendants whose parent ends become its own children.
   * It must then reap them. False where the system does not do that.
   */
  adoptOrphans(): boolean;
  /**
   * From now on the system itself ends whatever this process starts when this process ends, however it ends.
   * False where the system does not do that.
   */
  endWithThis(): boolean;
  /**
   * Calls `start`, and has the processes that it starts at once in a group named `mark`, which they and their
   * descendants do not leave. Where the system has none for this user, `start` is called and that is all.
   */
  enclose<Result>(mark: string, start: () => Result): Result;
  /** Ends everybody in the group by force, at one stroke. */
  killEnclosed(mark: string): void;
  /** Removes the group, once nobody is in it. */
  dissolve(mark: string): void;
  /**
   * Processes in the group named `value`, and those that were started with `name=value` in their environment and
   * let it be read. Without a group, one that overwrote its environment, or was started with another, is not found.
   */
  marked(name: string, value: string): Promise<ProcessIdentity[]>;
  /** Children of this process that have ended and wait to be reaped, whoever started them. */
  zombies(): number[];
  /** Reaps this one child if it has ended: true if so. Never for a child that Node started: Node reaps its own. */
  reap(pid: number): boolean;
}

export interface BindRequest {
  protocol: Protocol;
  /** An address literal; names are resolved before. */
  address: string;
  port: number;
  /** SO_REUSEADDR. Node, Go, Java and nginx set it on Unix. */
  reuse: boolean;
  v6only: boolean;
  /** Of `attempt`, on TCP: false to bind alone, which without `reuse` meets whoever a listen would. */
  listen?: boolean;
}

export interface BindFailure {
  /** errno's or WSA's name. */
  code: string;
  syscall: 'socket' | 'setsockopt' | 'bind' | 'listen';
}

export type BindOutcome = { ok: true; port: number } | { ok: false; error: BindFailure };

export interface Binder {
  /** Whether a bind to `::` that is not v6only meets every socket on IPv4 too, so that it is a proof for both. */
  readonly dualStackMeetsAll: boolean;
  /** Binds (and for TCP listens), then closes at once without having accepted anything. */
  attempt(request: BindRequest): Promise<BindOutcome>;
  /**
   * Holds a TCP port by a socket that is bound on every address and never listens. What that prevents and what
   * not, system by system, is in docs/leases.md.
   * @throws ReeveError `conflict` where another socket has the port, `unsupported` where it cannot be done.
   */
  park(port: number): Promise<Parked>;
  /**
   * A listening TCP socket that nobody here accepts on, for a program that is started with it.
   * @throws ReeveError `conflict` where it cannot be bound, `unsupported` where descriptors cannot be passed on.
   */
  listening(request: BindRequest): Promise<ListeningSocket>;
}

export interface ListeningSocket {
  readonly fd: number;
  /** Idempotent. Who has inherited it keeps it. */
  close(): void;
}

export interface Parked {
  readonly port: number;
  /** Idempotent. The end of the process does it too. */
  release(): void;
}

/** Settings of this machine that decide what may be bound. */
export interface HostFacts {
  user: { uid: number | null; name: string; elevated: boolean };
  /** Local ports of outgoing connections. */
  ephemeral: PortRange | null;
  /** Ports never given out as ephemeral (`ip_local_reserved_ports`; Windows' administered exclusions). */
  reserved: PortRange[];
  /** Ports that the system refuses to everybody (Windows' excluded ranges); of both protocols where none is named. */
  excluded: (PortRange & { protocol?: Protocol })[];
  /** Ports below this need privilege. 0: none does. */
  unprivilegedFrom: number;
  /** Whether this process may bind below `unprivilegedFrom`. */
  mayBindPrivileged: boolean;
  ipv6: { available: boolean; v6onlyDefault: boolean; reason: string | null };
  /** Open files of this process. */
  descriptors: { open: number | null; soft: number | null; hard: number | null };
  addresses: { address: string; interface: string }[];
}

export interface Host {
  facts(): Promise<HostFacts>;
  /** Whether the system's firewall lets other machines reach it; null where that is not known. Windows only. */
  firewall?(socket: { protocol: Protocol; port: number; pid: number | null }): Promise<FirewallAnswer | null>;
}
