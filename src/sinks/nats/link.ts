// One connection to NATS: the stream looked at or made, then batches published and acknowledged. Never reconnects:
// what the client had buffered would come before what must be sent again.
import { readFile } from 'node:fs/promises';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import {
  type ConnectionOptions,
  connect,
  createInbox,
  credsAuthenticator,
  headers,
  type Msg,
  type NatsConnection,
} from '@nats-io/transport-node';
import { errorMessage, ReeveError } from '../../core/errors.ts';

export interface NatsOptions {
  servers: string[];
  stream: string;
  /** With `{listener}` in it, or not. */
  subject: string;
  /** Milliseconds: within them the stream knows a message again. Counts where the stream is made. */
  deduplicate: number;
  token?: string | undefined;
  user?: string | undefined;
  password?: string | undefined;
  /** Absolute paths. */
  credentials?: string | undefined;
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
}

/** Milliseconds for a connection, an answer, and for a batch of which nothing is acknowledged. */
const patience = 5000;
const newline = 0x0a;
const space = 0x20;

export interface Published {
  /** Bytes and records of the batch's beginning that the stream has. */
  bytes: number;
  records: number;
  /** Why it is not all of it. */
  error: unknown;
}

interface Flight {
  acked: Uint8Array;
  missing: number;
  failed(error: unknown): void;
  done(): void;
}

export class Link {
  private readonly connection: NatsConnection;
  private readonly stream: string;
  private readonly inbox = createInbox();
  private flight: Flight | null = null;
  private base = 0;
  private lost: unknown = null;

  private constructor(connection: NatsConnection, stream: string, gone: (error: unknown) => void) {
    this.connection = connection;
    this.stream = stream;
    connection.subscribe(`${this.inbox}.*`, { callback: (error, message) => this.answered(error, message) });
    void connection.closed().then((error) => {
      this.lost = error ?? new Error('the connection was closed');
      this.flight?.failed(this.lost);
      gone(this.lost);
    });
  }

  /** `gone` is told once, also of `close`. */
  static async open(options: NatsOptions, name: string, gone: (error: unknown) => void): Promise<Link> {
    const connection = await connect(await connectionOptions(options, name));
    try {
      await ensureStream(await jetstreamManager(connection, { timeout: patience }), options);
      return new Link(connection, options.stream, gone);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Lines `id subject payload`. Resolves when all are acknowledged, or as soon as one fails. */
  async publish(lines: Buffer): Promise<Published> {
    const ends: number[] = [];
    this.base += 1;
    try {
      if (this.lost) throw this.lost;
      for (let start = 0; start < lines.length; ) {
        const end = lines.indexOf(newline, start);
        this.send(lines, start, end, ends.length);
        ends.push(end + 1);
        start = end + 1;
      }
    } catch (error) {
      return { bytes: 0, records: 0, error };
    }
    const acked = new Uint8Array(ends.length);
    const error = await this.settle(acked);
    const first = acked.indexOf(0);
    const records = first < 0 ? ends.length : first;
    return { bytes: records === 0 ? 0 : ends[records - 1]!, records, error };
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  private send(lines: Buffer, start: number, end: number, index: number): void {
    const afterId = lines.indexOf(space, start);
    const afterSubject = lines.indexOf(space, afterId + 1);
    const about = headers();
    about.set('Nats-Msg-Id', lines.toString('latin1', start, afterId));
    about.set('Nats-Expected-Stream', this.stream);
    this.connection.publish(
      lines.toString('latin1', afterId + 1, afterSubject),
      lines.subarray(afterSubject + 1, end),
      { headers: about, reply: `${this.inbox}.${this.base}-${index}` },
    );
  }

  private settle(acked: Uint8Array): Promise<unknown> {
    return new Promise((resolve) => {
      let before = acked.length;
      const timer = setInterval(() => {
        if (flight.missing === before) flight.failed(new Error(`no answer within ${patience / 1000} s`));
        before = flight.missing;
      }, patience);
      const end = (error: unknown) => {
        clearInterval(timer);
        this.flight = null;
        resolve(error);
      };
      const flight: Flight = { acked, missing: acked.length, failed: end, done: () => end(null) };
      this.flight = flight;
      if (this.lost) end(this.lost);
    });
  }

  private answered(error: Error | null, message: Msg): void {
    const { flight } = this;
    const token = message.subject.slice(this.inbox.length + 1);
    const dash = token.indexOf('-');
    if (!flight || Number(token.slice(0, dash)) !== this.base) return;
    const refusal = error ?? refused(message);
    if (refusal) {
      flight.failed(refusal);
      return;
    }
    const index = Number(token.slice(dash + 1));
    if (flight.acked[index]) return;
    flight.acked[index] = 1;
    flight.missing -= 1;
    if (flight.missing === 0) flight.done();
  }
}

function refused(message: Msg): Error | null {
  if (message.headers?.code === 503) return new Error('no stream takes this subject now');
  try {
    const answer = message.json<{ stream?: string; error?: { description: string } }>();
    if (answer.error) return new Error(answer.error.description);
    return answer.stream ? null : new Error('the answer names no stream');
  } catch (error) {
    return new Error(`the answer cannot be read: ${errorMessage(error)}`);
  }
}

async function connectionOptions(options: NatsOptions, name: string): Promise<ConnectionOptions> {
  const { servers, token, user, password, credentials, tls } = options;
  return {
    servers,
    name: `portreeve sink ${name}`,
    reconnect: false,
    timeout: patience,
    pingInterval: patience,
    maxPingOut: 2,
    ...(token !== undefined && { token }),
    ...(user !== undefined && { user, pass: password ?? '' }),
    ...(credentials !== undefined && { authenticator: credsAuthenticator(await readFile(credentials)) }),
    ...(tls && {
      tls: {
        ...(tls.ca !== undefined && { caFile: tls.ca }),
        ...(tls.cert !== undefined && { certFile: tls.cert }),
        ...(tls.key !== undefined && { keyFile: tls.key }),
      },
    }),
  };
}

/** Made where it is missing; where it is there, it must take what is published. */
async function ensureStream(manager: JetStreamManager, options: NatsOptions): Promise<void> {
  const { stream, subject, deduplicate } = options;
  const wanted = subject.replaceAll('{listener}', '*');
  const found = await manager.streams.info(stream).catch((error) => {
    if (/stream not found/.test(errorMessage(error))) return null;
    throw error;
  });
  if (!found) {
    await manager.streams.add({ name: stream, subjects: [wanted], duplicate_window: deduplicate * 1e6 });
  } else if (!found.config.subjects?.some((pattern) => covers(pattern, wanted))) {
    const taken = found.config.subjects?.join(', ') || 'none';
    throw new ReeveError('config', `stream ${stream} does not take ${wanted}: its subjects are ${taken}`);
  }
}

/** Whether every subject that `subject` stands for is one of `pattern`'s (NATS: `*` is a token, `>` the rest). */
export function covers(pattern: string, subject: string): boolean {
  const theirs = pattern.split('.');
  const ours = subject.split('.');
  for (const [i, token] of theirs.entries()) {
    if (token === '>') return ours.length > i;
    if (ours[i] === undefined || (token !== '*' && token !== ours[i])) return false;
  }
  return theirs.length === ours.length;
}
