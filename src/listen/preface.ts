// Reads what a connection says first, up to the point where it is understood; the rest goes back into the socket.
import type { Socket } from 'node:net';
import { Gather } from './gather.ts';
import type { Parsed } from './proxy-header.ts';

export type Preface<Value> = { value: Value } | { failure: 'wrong' | 'timeout' | 'gone'; why: string };

/**
 * Calls `settle` once, and leaves the socket paused and without listeners. `parse` bounds what is kept: it must say
 * `wrong` to more than it wants. Returns what gives up, without a call.
 */
export function readPreface<Value>(
  socket: Socket,
  parse: (bytes: Buffer) => Parsed<Value>,
  timeoutMs: number,
  settle: (preface: Preface<Value>) => void,
): () => void {
  const gathered = new Gather();
  const stop = () => {
    clearTimeout(timer);
    socket.off('data', onData).off('end', onGone).off('error', onGone).off('close', onGone);
    socket.pause();
  };
  const give = (preface: Preface<Value>) => {
    stop();
    settle(preface);
  };
  const onData = (chunk: Buffer) => {
    gathered.add(chunk);
    const bytes = gathered.soFar();
    const parsed = parse(bytes);
    if (parsed.state === 'more') return;
    if (parsed.state === 'wrong') {
      give({ failure: 'wrong', why: parsed.why });
      return;
    }
    stop();
    // Before anybody else listens, so that nothing overtakes it.
    if (parsed.length < bytes.length) socket.unshift(Buffer.from(bytes.subarray(parsed.length)));
    settle({ value: parsed.value });
  };
  const onGone = () => give({ failure: 'gone', why: 'the connection ended before it was complete' });
  const timer = setTimeout(
    () => give({ failure: 'timeout', why: `not complete within ${timeoutMs} ms` }),
    timeoutMs,
  );
  socket.on('data', onData).on('end', onGone).on('error', onGone).on('close', onGone);
  socket.resume();
  return stop;
}
