// A bound socket that is handed to an engine: one that listens (TCP), or one that hears datagrams (UDP).
import type { Socket } from 'node:net';
import type { Endpoint } from '../core/endpoint.ts';
import type { HostAndPort } from './proxy-header.ts';

interface BoundSocket {
  /** What was asked for. */
  endpoint: Endpoint;
  /** What was really bound: another port than asked for after `next`, or for port 0. */
  address: string;
  port: number;
  /** Whether verification saw what it sent to itself arrive; null where it was not tried. */
  verified: boolean | null;
  listening(): boolean;
  /** For another process to listen on as well; null where there is none to give: Windows, or it is closed. */
  descriptor(): number | null;
  /** Another process listens on it from now on: to close it here only lets go of it. */
  cede(): void;
  /** Takes nobody new. Connections that are open go on. */
  close(): Promise<void>;
}

/** A listening socket. The engine that gets it is the only one to accept on it. */
export interface Binding extends BoundSocket {
  readonly transport: 'tcp';
  /** Who gets the connections from now on. Those that came before have waited. */
  accept(handler: (socket: Socket) => void): void;
  /** The descriptor, for processes that accept on it from now on; `accept` takes it back. Unix only. */
  handOver(calls: DescriptorCalls): HandedOver;
}

/** A UDP socket on which each client that is new is welcomed, and heard by whoever welcomed it, until that one hangs up. */
export interface DatagramBinding extends BoundSocket {
  readonly transport: 'udp';
  /** Who gets new clients from now on. Those that came before have waited. */
  accept(welcome: Welcome): void;
}

export type AnyBinding = Binding | DatagramBinding;

/** For whoever serves connections alone. */
export function streams(bindings: AnyBinding[]): Binding[] {
  return bindings.filter((binding) => binding.transport === 'tcp');
}

/** Who hears the client from its first datagram on; null: nobody, and the datagram is dropped. */
export type Welcome = (client: HostAndPort, line: Line) => ((datagram: Buffer) => void) | null;

/** The way back to one client, from the address that it has spoken to. */
export interface Line {
  /** Calls back once the kernel has the datagram, or does not take it. */
  send(datagram: Buffer, done: (error: Error | null) => void): void;
  /** Its next datagram is that of a new client. */
  hangUp(): void;
  /** Whether the socket still takes new clients. */
  listening(): boolean;
}

/** Calls that Node has not, given by the engine that needs them. */
export interface DescriptorCalls {
  /** Another descriptor of the same socket, that no child process inherits by itself. */
  duplicate(fd: number): number;
  /** Closes it, and ends its listening also for the processes that have it too. */
  end(fd: number): void;
}

export interface HandedOver {
  /** Remains the binding's own: to be shared, not to be closed. */
  fd: number;
  /** Those who came before and have waited; nothing of what they say was read. */
  waiting: Socket[];
}

/** Why a connection was turned away at the door. */
export type RefusalReason =
  | 'denied'
  | 'not-allowed'
  | 'connections'
  | 'per-client'
  | 'client-rate'
  | 'rate'
  | 'overload'
  | 'draining'
  | GreetingRefusal;

/** Why a connection never got as far as being served: its PROXY header, or its TLS handshake. */
export type GreetingRefusal =
  /** `limits.greetings` are under way, and no other network has more of them. */
  | 'greetings'
  /** It ended, or was cut, before it had said all. */
  | 'gone'
  /** Not one of the proxies that may say who the client is. */
  | 'proxy-untrusted'
  | 'proxy-invalid'
  | 'proxy-timeout'
  /** Not TLS, or not as it should be. */
  | 'tls-invalid'
  | 'tls-timeout'
  /** No version, cipher or protocol (ALPN) that both know. */
  | 'tls-version'
  | 'tls-cipher'
  | 'tls-protocol'
  /** Missing where it is required, or not to be trusted. */
  | 'tls-client-certificate'
  /** The client does not accept our certificate, or something else of ours. */
  | 'tls-rejected'
  /** A server name (SNI) that is not configured, or none. */
  | 'server-name';
