// Standard output (or any stream) as a destination: one write at a time, each answered before the next.
import type { Writable } from 'node:stream';
import type { Destination } from './line-queue.ts';

export function streamDestination(stream: Writable): Destination {
  // A write's own callback tells of the failure; without a listener the event would end the process (EPIPE).
  const ignore = () => {};
  stream.on('error', ignore);
  return {
    kind: 'stdout',
    room: async () => Number.POSITIVE_INFINITY,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        // A stream that has failed for good never calls back. (Node revives process.stdout itself after an error.)
        if (stream.errored || stream.destroyed) reject(stream.errored ?? new Error('the stream is closed'));
        else stream.write(bytes, (error) => (error ? reject(error) : resolve(bytes.length)));
      }),
    close: async () => {
      stream.off('error', ignore);
    },
  };
}
