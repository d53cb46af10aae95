// For tests of reloads: targets that greet by name, and clients that keep talking.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach } from 'vitest';
import { eventually } from '../support/children.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Greets with its name, then echoes. */
export async function echo(name: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function open(address: string) {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  const talk = { socket, text: '', ended: once(socket, 'close') };
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    talk.text += chunk;
  });
  closers.push(() => socket.destroy());
  await eventually(() => talk.text.includes('\n') || socket.destroyed);
  return talk;
}

/** The `listeners:` section of a configuration. */
export const listeners = (lines: string) => `\nlisteners:\n${lines}\n`;
