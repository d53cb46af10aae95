// UDP sockets: early datagrams wait, clients have their hearers, and a socket proves that it is the one that is reached.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { needs } from '../../test/support/parts.ts';
import { type Context, silentLog, systemClock } from '../core/context.ts';
import type { Line } from './binding.ts';
import { BoundDatagrams, hearOn } from './datagrams.ts';
import { verifyDatagrams } from './verify-datagrams.ts';

const never = new AbortController().signal;
const context: Context = { clock: systemClock, random: Math.random, log: silentLog, emit() {} };
const options = (host: string, port = 0) => ({
  ...{ name: 'dns', v6only: false, backlog: 1 },
  endpoint: { protocol: 'udp' as const, host, port },
});

async function bound(host = '127.0.0.1', port = 0): Promise<BoundDatagrams> {
  const binding = await hearOn(options(host, port), context);
  onTestFinished(() => binding.close());
  return binding;
}

async function plain(
  settings: { address?: string; port?: number; reuseAddr?: boolean } = {},
): Promise<Socket> {
  const { address = '127.0.0.1', port = 0, reuseAddr = false } = settings;
  const socket = createSocket({ type: 'udp4', reuseAddr }).bind(port, address);
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return socket;
}

/** Remembers who came and what they said; answers with what `answer` makes of it. */
function visitors(binding: BoundDatagrams) {
  const said: string[] = [];
  const lines: Line[] = [];
  const news = new EventTarget();
  binding.accept(({ address }, line) => {
    lines.push(line);
    return (datagram) => {
      said.push(`${address} ${datagram}`);
      news.dispatchEvent(new Event('news'));
    };
  });
  const until = async (count: number) => {
    while (said.length < count)
      await new Promise((resolve) => news.addEventListener('news', resolve, { once: true }));
    return said;
  };
  return { said, lines, until };
}

describe('a UDP socket', () => {
  it('keeps what comes early, in order, until somebody welcomes clients', async () => {
    const binding = await bound();
    const client = await plain();
    for (const text of ['one', 'two']) client.send(text, binding.port, '127.0.0.1');
    // On loopback it comes after the others.
    await verifyDatagrams(binding, never);
    const { until, lines } = visitors(binding);
    expect(await until(2)).toEqual(['127.0.0.1 one', '127.0.0.1 two']);
    expect(lines).toHaveLength(1);
  });

  it('answers from its own address, and takes a client that was left as a new one', async () => {
    const binding = await bound();
    const client = await plain();
    const { until, lines } = visitors(binding);
    client.send('hello', binding.port, '127.0.0.1');
    await until(1);
    const answer = once(client, 'message');
    lines[0]!.send(Buffer.from('hi'), (error) => expect(error).toBeNull());
    const [text, from] = (await answer) as [Buffer, { address: string; port: number }];
    expect([text.toString(), from.address, from.port]).toEqual(['hi', '127.0.0.1', binding.port]);
    lines[0]!.hangUp();
    client.send('again', binding.port, '127.0.0.1');
    await until(2);
    expect(lines).toHaveLength(2);
  });

  it.runIf(needs('answers of a machine with several addresses', 'linux'))(
    'answers from the address that was asked where it is bound to that one; on a wildcard the kernel chooses',
    async () => {
      const answersFrom = async (host: string) => {
        const binding = await bound(host);
        const client = await plain();
        const { until, lines } = visitors(binding);
        client.send('hello', binding.port, '127.0.0.2');
        await until(1);
        const answer = once(client, 'message');
        lines[0]!.send(Buffer.from('hi'), () => {});
        return ((await answer) as [Buffer, { address: string }])[1].address;
      };
      expect(await answersFrom('127.0.0.2')).toBe('127.0.0.2');
      // What the guide warns of: a client that has connected its socket does not hear this.
      expect(await answersFrom('0.0.0.0')).toBe('127.0.0.1');
    },
  );

  it('holds its port after it was closed until the last client has been left', async () => {
    const binding = await bound();
    const client = await plain();
    const { until, lines } = visitors(binding);
    client.send('hello', binding.port, '127.0.0.1');
    await until(1);
    await binding.close();
    expect([binding.listening(), lines[0]!.listening()]).toEqual([false, false]);
    client.send('more', binding.port, '127.0.0.1');
    await until(2);
    await expect(bound('127.0.0.1', binding.port)).rejects.toThrow('EADDRINUSE');
    lines[0]!.hangUp();
    await bound('127.0.0.1', binding.port);
  });

  it('reaches itself, and nobody ever hears of that', async () => {
    const binding = await bound('0.0.0.0');
    const client = await plain();
    client.send('early', binding.port, '127.0.0.1');
    const { verified, words } = await verifyDatagrams(binding, never);
    expect([verified, binding.verified]).toEqual([true, true]);
    expect(words).toEqual([`udp://127.0.0.1:${binding.port} reaches this listener`]);
    const { until, said } = visitors(binding);
    await until(1);
    await verifyDatagrams(binding, never);
    client.send('last', binding.port, '127.0.0.1');
    expect(await until(2)).toEqual(['127.0.0.1 early', '127.0.0.1 last']);
    expect(said).toHaveLength(2);
  });

  it.runIf(needs('a UDP port that another one takes over', 'linux'))(
    'notices that somebody else gets what is sent to its port',
    async () => {
      const own = await plain({ address: '0.0.0.0', reuseAddr: true });
      const binding = new BoundDatagrams(options('0.0.0.0'), own, own.address(), context);
      // The more exact address gets it.
      await plain({ port: binding.port, reuseAddr: true });
      const { verified, words } = await verifyDatagrams(binding, never, 300);
      expect(verified).toBe(false);
      expect(words[0]).toContain('did not arrive at this listener');
    },
  );

  it.runIf(needs('UDP on both families', 'ipv6'))(
    'on [::] takes IPv4 as well, unless it is told not to',
    async () => {
      const both = await bound('::');
      expect((await verifyDatagrams(both, never)).words).toHaveLength(2);
      const client = await plain();
      const { until } = visitors(both);
      client.send('hello', both.port, '127.0.0.1');
      expect(await until(1)).toEqual(['::ffff:127.0.0.1 hello']);
      const six = await hearOn({ ...options('::'), v6only: true }, context);
      onTestFinished(() => six.close());
      await plain({ address: '0.0.0.0', port: six.port });
    },
  );
});
