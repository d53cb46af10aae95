// tcp://host:port: a connection that is accepted is up.
import type { Socket } from 'node:net';
import { formatHostPort, parseEndpoint } from '../core/endpoint.ts';
import { connect } from './connect.ts';
import type { Attempt, Outcome } from './outcome.ts';

/** How long the other side may keep its half open before the socket is dropped. */
const closeWithin = 1000;

export async function probeTcp(url: string, attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
  const { host, port } = parseEndpoint(url);
  const socket = await connect(host, port, attempt, signal);
  const address = formatHostPort(socket.remoteAddress ?? host, port);
  closePolitely(socket);
  return { verdict: 'up', reason: null, detail: `${address} accepted the connection` };
}

/** Ends with FIN. What the server says first is read, since closing on unread bytes sends RST. */
function closePolitely(socket: Socket): void {
  socket.resume();
  socket.end();
  const timer = setTimeout(() => socket.destroy(), closeWithin).unref();
  socket.once('close', () => clearTimeout(timer));
}
