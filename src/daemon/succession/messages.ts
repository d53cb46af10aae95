// What the two daemons of an upgrade say to each other: one line of JSON each, over a socket that the new one inherits.

import type { Socket } from 'node:net';
import * as z from 'zod';

/** In the environment of the new daemon: the descriptor of the socket. */
export const channelName = 'REEVE_SUCCEEDS';
/** The socket's number there; those of the listening sockets follow in the order of the estate. */
export const channelDescriptor = 3;

const port = z.int().min(0).max(65_535);
const socket = z.object({
  key: z.string(),
  listener: z.string(),
  /** As the configuration of the old one has it. */
  asked: z.object({ protocol: z.enum(['tcp', 'udp']), host: z.string(), port }),
  address: z.string(),
  port,
  backlog: z.int().positive(),
  verified: z.boolean().nullable(),
});

const estate = z.object({
  is: z.literal('estate'),
  pid: z.int().positive(),
  version: z.string(),
  stateFolder: z.string(),
  sockets: z.array(socket),
  /** `asked`: as the configuration of the old one has it. Its descriptor comes after the others. */
  control: z.object({ asked: z.string(), address: z.string() }),
  /** Services that have an instance which is up. */
  up: z.array(z.string()),
  /** Milliseconds that the new one has to become ready. */
  within: z.number().positive(),
});

export type GivenSocket = z.infer<typeof socket>;
export type Estate = z.infer<typeof estate>;

/** Old to new: what there is, then that it may begin. */
export const toHeir = z.discriminatedUnion('is', [estate, z.object({ is: z.literal('go') })]);
/** New to old: that it could begin, that it has, or why it cannot. */
export const fromHeir = z.discriminatedUnion('is', [
  z.object({ is: z.literal('ready') }),
  z.object({ is: z.literal('took'), control: z.string() }),
  z.object({ is: z.literal('failed'), why: z.string() }),
]);

export type ToHeir = z.infer<typeof toHeir>;
export type FromHeir = z.infer<typeof fromHeir>;

export interface Channel<In, Out> {
  send(message: Out): void;
  /** Resolves with the next message of the kind; rejects with what `ended` says when there is none to come. */
  next<Kind extends In['is' & keyof In]>(kind: Kind, signal: AbortSignal): Promise<Extract<In, { is: Kind }>>;
  /** Resolves when the other end is closed. */
  readonly closed: Promise<void>;
  close(): void;
}

/** `ended`: the error for a message that was not asked for, or for null: the other one is gone. */
export function openChannel<In extends { is: string }, Out>(
  stream: Socket,
  schema: z.ZodType<In>,
  ended: (last: In | null) => Error,
): Channel<In, Out> {
  const queue: In[] = [];
  let over = false;
  let wake = () => {};
  // A process that is killed resets it; what counts is that it is closed.
  stream.on('error', () => {});
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const { data } = schema.safeParse(jsonOf(line));
      if (data) queue.push(data);
    }
    wake();
  });
  const closed = new Promise<void>((resolve) => {
    stream.once('close', () => {
      over = true;
      resolve();
      wake();
    });
  });
  return {
    closed,
    send: (message) => void stream.write(`${JSON.stringify(message)}\n`),
    async next(kind, signal) {
      for (;;) {
        const first = queue.shift();
        if (first?.is === kind) return first as never;
        if (first || over) throw ended(first ?? null);
        signal.throwIfAborted();
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    },
    close: () => void stream.destroy(),
  };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
