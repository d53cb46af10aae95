// Verified listening over real sockets: seen, not seen, and invisible to everybody else.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { needs } from '../../test/support/parts.ts';
import { silentLog, systemClock } from '../core/context.ts';
import { type BoundListener, listenOn } from './server.ts';
import { verifyListening } from './verify.ts';

const never = new AbortController().signal;
const context = { clock: systemClock, random: Math.random, log: silentLog, emit: () => {} };

async function bind(host: string, v6only = false): Promise<BoundListener> {
  const endpoint = { protocol: 'tcp' as const, host, port: 0 };
  const binding = await listenOn({ name: 'web', endpoint, v6only, backlog: 16 }, context);
  onTestFinished(() => binding.close());
  return binding;
}

it.each([
  ['127.0.0.1', ['127.0.0.1']],
  ['0.0.0.0', ['127.0.0.1']],
])('sees its own connection on %s', async (host, dialled) => {
  const binding = await bind(host);
  expect(binding.verified).toBeNull();
  const words = dialled.map((address) => `${address}:${binding.port} reaches this listener`);
  expect(await verifyListening(binding, never)).toEqual({ verified: true, words });
  expect(binding.verified).toBe(true);
});

it.runIf(needs('verified listening on [::]', 'ipv6'))(
  'dials both families where both are taken',
  async () => {
    const both = await bind('::');
    expect((await verifyListening(both, never)).words).toEqual([
      `127.0.0.1:${both.port} reaches this listener`,
      `[::1]:${both.port} reaches this listener`,
    ]);
    const one = await bind('::', true);
    expect(await verifyListening(one, never)).toEqual({
      verified: true,
      words: [`[::1]:${one.port} reaches this listener`],
    });
  },
);

it('hands on everybody else, and never its own connection', async () => {
  const binding = await bind('127.0.0.1');
  const served: number[] = [];
  let handled: (() => void) | undefined;
  const all = new Promise<void>((resolve) => {
    handled = () => served.length === 3 && resolve();
  });
  binding.accept((socket: Socket) => {
    served.push(socket.remotePort!);
    socket.destroy();
    handled?.();
  });
  const verifying = verifyListening(binding, never);
  const ports = await Promise.all(
    [1, 2, 3].map(async () => {
      const client = connect(binding.port, '127.0.0.1');
      client.on('error', () => {});
      await once(client, 'connect');
      return client.localPort!;
    }),
  );
  expect((await verifying).verified).toBe(true);
  expect((await verifyListening(binding, never)).verified).toBe(true);
  await all;
  expect(served.sort()).toEqual(ports.sort());
});

it.each([
  ['stays silent', (_socket: Socket) => {}, 'did not arrive at this listener'],
  ['hangs up', (socket: Socket) => void socket.end(), 'ended the connection at once'],
])('notices that somebody else answers who %s', async (_what, answer, words) => {
  const sockets: Socket[] = [];
  const other = createServer((socket) => {
    sockets.push(socket);
    answer(socket);
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    other.close();
  });
  // What Windows allows to happen to a port: connections to it go to another socket.
  const binding = Object.assign(await bind('127.0.0.1'), { port: (other.address() as AddressInfo).port });
  const result = await verifyListening(binding, never, 200);
  expect(result.verified).toBe(false);
  expect(result.words[0]).toContain('somebody else answers');
  expect(result.words[0]).toContain(words);
});

it('notices that nobody answers', async () => {
  const gone = await bind('127.0.0.1');
  await gone.close();
  const binding = Object.assign(await bind('127.0.0.1'), { port: gone.port });
  const result = await verifyListening(binding, never);
  expect(result).toMatchObject({ verified: false, words: [expect.stringContaining('ECONNREFUSED')] });
});

it('gives no verdict when it is cancelled', async () => {
  const binding = await bind('127.0.0.1');
  expect(await verifyListening(binding, AbortSignal.abort())).toMatchObject({ verified: null });
});
