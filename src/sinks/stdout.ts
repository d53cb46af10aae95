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
        stream.write(bytes, (error) => (error ? reject(error) : resolve(bytes.length)));
      }),
    close: async () => {
      stream.off('error', ignore);
    },
  };
}
