// Work over a connection of the pool: lent, watched, and taken back where it is still good.
import type { Socket } from 'node:net';
import type { Taken } from './choice.ts';
import type { OpenSocket } from './connect.ts';
import type { Counters } from './counters.ts';
import { AttemptFailure, attemptFailure } from './failure.ts';
import type { Sockets } from './sockets.ts';

export type Work<T> = (socket: Socket, signal: AbortSignal) => Promise<T>;

export interface Lender {
  idle: Sockets;
  open: OpenSocket;
  inUse: Set<Socket>;
  counts: Counters;
}

/** An `error` is the work's own: the connection was well. @throws AttemptFailure where it was not. */
export async function workOver<T>(
  { idle, open, inUse, counts }: Lender,
  taken: Taken,
  work: Work<T>,
  isIdempotent: boolean,
  signal: AbortSignal,
): Promise<{ value: T } | { error: unknown }> {
  const { id } = taken.target;
  let lent = await idle.take(id);
  if (lent) counts.reused += 1;
  else {
    lent = await open(taken.target, signal);
    idle.opened(lent);
  }
  const socket = lent;
  let wrong: Error | null = null;
  const onError = (error: Error) => {
    wrong = error;
  };
  const stop = () => void socket.destroy();
  const before = socket.bytesWritten;
  inUse.add(socket);
  socket.on('error', onError);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const value = await work(socket, signal);
    idle.put(id, socket);
    taken.release();
    return { value };
  } catch (error) {
    const isBroken = wrong !== null || socket.destroyed || socket.readableEnded;
    const again = isIdempotent || socket.bytesWritten === before;
    socket.destroy();
    if (signal.aborted || isBroken) {
      const failure = attemptFailure(wrong ?? error, again);
      throw new AttemptFailure(failure.message, { again, counts: failure.counts }, error);
    }
    taken.release();
    return { error };
  } finally {
    signal.removeEventListener('abort', stop);
    inUse.delete(socket);
    // One that is destroyed may still have an error to tell: nobody else listens.
    if (!socket.destroyed) socket.off('error', onError);
  }
}
