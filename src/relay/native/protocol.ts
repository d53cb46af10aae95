// What the control process and a relay worker tell each other: one JSON value a line, bounded. Pure.
import type { BalanceConfig, ListenerConfig } from '../../config/index.ts';
import type { RefusalReason } from '../../listen/index.ts';
import type { ConnectionEnd, EndReason, Target, TargetCounters } from '../engine.ts';

/** Both sides come from the same package; a mix of two installations is refused, not guessed at. */
export const protocolVersion = 3;

/** A longer line is not one of ours. */
export const longestLine = 8 * 1024 * 1024;

/** A target with its name looked up: workers never wait for a resolver. */
export interface WireTarget extends Target {
  /** IP addresses in order of preference; empty where the name leads nowhere. */
  addresses: string[];
  /** Where its connections are counted over all workers; null where each counts for itself. */
  slot: number | null;
}

/** What a worker must know to serve a listener. */
export interface WirePlan {
  name: string;
  /** Whether connections are told one by one, with the names of their clients. */
  named: boolean;
  allow: string[] | undefined;
  deny: string[] | undefined;
  limits: Pick<
    ListenerConfig['limits'],
    'connections' | 'perClient' | 'rate' | 'clientRate' | 'firstBytes' | 'idle'
  >;
  balance: Pick<BalanceConfig, 'policy' | 'retries' | 'retryBudget' | 'connectTimeout' | 'queue'>;
  targets: WireTarget[];
  /** Its data is cut into frames for a sink; null where it is relayed to targets. */
  intake: { frame: NonNullable<ListenerConfig['frame']>; limit: number } | null;
}

/** To a worker. Descriptors come before the command that speaks of them, over their own channel. */
export type Command =
  | { do: 'serve'; id: number; plan: WirePlan; sockets: number; place: SharedPlace }
  /** Connections that were accepted before the worker had the socket. */
  | { do: 'adopt'; id: number; connections: number }
  | { do: 'update'; id: number; plan: WirePlan }
  /** End what is open to the target. */
  | { do: 'end'; id: number; target: string; reason: EndReason }
  /** Accept no more; end what is open after `deadlineMs`; report `drained` once nothing is. */
  | { do: 'drain'; id: number; deadlineMs: number }
  /** The sink has all batches up to this one; `failed`: it will not have them. */
  | { do: 'taken'; id: number; number: number; failed: boolean };

/** Where a worker counts a listener's connections in the memory that all share. */
export interface SharedPlace {
  slot: number;
  /** Where it counts those who wait for a place at a target; null where it counts for itself. */
  queueSlot: number | null;
  seat: number;
  seats: number;
}

/** From a worker. */
export type Report =
  | { is: 'ready'; version: number }
  | { is: 'news'; listeners: News[] }
  | { is: 'drained'; id: number }
  | { is: 'warning'; message: string };

/** What happened on one listener since the last report. */
export interface News {
  id: number;
  received: number;
  sent: number;
  /** Clients whose connections began and are still open; those that have ended as well stand in `ends` only. */
  opened: string[];
  refused: [client: string, reason: RefusalReason][];
  /** What became of attempts, in order; null: it went well. Successes of a target that follow each other are one. */
  outcomes: [target: string, code: string | null][];
  ends: WireEnd[];
  /** Beyond what is listed one by one, or all where nobody asks for names: how many began, and how many ended for which reason. */
  unlisted: {
    opened: number;
    refused: [RefusalReason, number][];
    ended: [EndReason, number][];
    /** Of those that ended, as far as there was room: how long each took, and to connect (-1: it never was), in µs. */
    times: number[];
  };
  /** As they are now. */
  waiting: number;
  targets: TargetCounters[];
}

/**
 * The end of a connection, without names and in whole microseconds: one is written for every connection.
 * `fresh`: it also began since the last report.
 */
export type WireEnd = [
  fresh: 0 | 1,
  client: string,
  target: string | null,
  reason: EndReason,
  received: number,
  sent: number,
  us: number,
  connectUs: number | null,
  retries: number,
  detail: string | null,
];

export function packEnd(end: ConnectionEnd, fresh: boolean): WireEnd {
  const { client, target, reason, received, sent, ms, connectMs, retries, detail } = end;
  const connectUs = connectMs === null ? null : Math.round(connectMs * 1000);
  return [
    fresh ? 1 : 0,
    client,
    target,
    reason,
    received,
    sent,
    Math.round(ms * 1000),
    connectUs,
    retries,
    detail,
  ];
}

export function unpackEnd(end: WireEnd): ConnectionEnd {
  const [, client, target, reason, received, sent, us, connectUs, retries, detail] = end;
  const connectMs = connectUs === null ? null : connectUs / 1000;
  return { client, target, reason, received, sent, ms: us / 1000, connectMs, retries, detail };
}

export function encode(message: Command | Report): string {
  return `${JSON.stringify(message)}\n`;
}

/** Cuts a stream into its messages, however it arrives. */
export class Decoder<Message extends Command | Report> {
  private readonly text = new TextDecoder();
  private rest = '';

  /** @throws Error where a line is too long or no message. */
  push(bytes: Uint8Array): Message[] {
    const lines = (this.rest + this.text.decode(bytes, { stream: true })).split('\n');
    this.rest = lines.pop()!;
    if (this.rest.length > longestLine) throw new Error(`a line is longer than ${longestLine} characters`);
    return lines.map((line) => parse<Message>(line));
  }
}

function parse<Message>(line: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`no message: ${JSON.stringify(line.slice(0, 100))}`);
  }
  if (typeof value !== 'object' || value === null || !('do' in value || 'is' in value)) {
    throw new Error(`no message: ${line.slice(0, 100)}`);
  }
  return value as Message;
}
