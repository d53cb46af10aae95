// tcp://host:port: a connection that is accepted is up; with send or expect, what the server says decides.
import type { Socket } from 'node:net';
import { formatHostPort } from '../core/endpoint.ts';
import type { ProbeUrl } from '../core/probe-url.ts';
import { connect } from './connect.ts';
import { bytesOf, excerpt, longestAnswer, matcherOf } from './expectation.ts';
import { type Attempt, fail, type Outcome } from './outcome.ts';
import { settled } from './settled.ts';

/** How long the other side may keep its half open before the socket is dropped. */
const closeWithin = 1000;

export async function probeTcp({ host, port }: ProbeUrl, attempt: Attempt, signal: AbortSignal) {
  const socket = await connect(host, port, attempt, signal);
  return converse(socket, formatHostPort(socket.remoteAddress ?? host, port), attempt, signal);
}

/** Over a connection that stands; `address` is what a person calls it. */
export async function converse(
  socket: Socket,
  address: string,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Outcome> {
  const { send, expect } = attempt;
  if (send === undefined && expect === undefined) {
    closePolitely(socket);
    return {
      verdict: 'up',
      reason: null,
      detail: `${address} accepted the connection`,
      facts: { address },
    };
  }
  attempt.phase = 'waiting for the answer';
  if (send !== undefined) socket.write(bytesOf(send));
  if (expect === undefined) {
    closePolitely(socket);
    return { verdict: 'up', reason: null, detail: `${address} took what was sent`, facts: { address } };
  }
  const matches = matcherOf(expect);
  return settled<Outcome>(signal, ({ resolve, reject }) => {
    let answer = Buffer.alloc(0);
    const mismatch = () =>
      reject(
        fail('mismatch', `${address} did not answer as expected, but ${excerpt(answer)}`, {
          address,
          matched: false,
        }),
      );
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (matches(answer)) {
        const detail = `${address} answered as expected`;
        resolve({ verdict: 'up', reason: null, detail, facts: { address, matched: true } });
      } else if (answer.length > longestAnswer) mismatch();
    });
    socket.on('error', mismatch);
    socket.on('close', mismatch);
    return () => closePolitely(socket);
  });
}

/** Ends with FIN. What the server says first is read, since closing on unread bytes sends RST. */
function closePolitely(socket: Socket): void {
  socket.resume();
  socket.end();
  const timer = setTimeout(() => socket.destroy(), closeWithin).unref();
  socket.once('close', () => clearTimeout(timer));
}
