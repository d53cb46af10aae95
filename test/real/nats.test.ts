// Lines through the daemon into a real NATS that is killed under load: each arrives once, in order per connection.
// REEVE_NATS_LINES=1000000 is the long form.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/children.ts';
import { type Broker, broker } from '../support/nats.ts';
import { needs } from '../support/parts.ts';
import { addressOf, house, start } from './daemon-support.ts';

const lines = Number(process.env.REEVE_NATS_LINES ?? 20_000);
const patience = 60_000 + lines;
const senders = 20;

const configuration = (nats: Broker, more = '') => `
listeners:
  intake: { bind: ["127.0.0.1:0"], sink: queue }
sinks:
  queue: { nats: "${nats.url}", stream: EVENTS, subject: "intake.{listener}", spool: { size: 1GB }${more} }
`;

/** Sends so many lines on one connection, as fast as they are taken. */
async function send(address: string, name: string, count: number): Promise<void> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host!);
  await once(socket, 'connect');
  socket.resume();
  for (let from = 0; from < count; from += 100) {
    const some = Array.from({ length: Math.min(100, count - from) }, (_, i) => `${name} ${from + i}\n`);
    if (!socket.write(some.join(''))) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'close');
}

function expectOnceInOrder(messages: { text: string }[], expected: number): void {
  const next = new Map<string, number>();
  for (const { text } of messages) {
    const record = JSON.parse(text) as { connection: string; sequence: number; text: string };
    const before = next.get(record.connection) ?? 0;
    if (record.sequence !== before + 1) {
      throw new Error(`${record.sequence} after ${before} of ${record.connection}: ${text}`);
    }
    next.set(record.connection, record.sequence);
  }
  expect(messages).toHaveLength(expected);
}

describe.runIf(needs('NATS under load', 'nats-server'))('NATS', () => {
  test(
    `${lines} lines while the broker is killed twice: each once, in order per connection`,
    async () => {
      const nats = await broker();
      const daemon = await start(house(configuration(nats)));
      const sink = () => daemon.status().sinks[0]!;
      const address = addressOf(daemon, 'intake');
      const count = Math.ceil(lines / senders);
      const sent = Promise.all(Array.from({ length: senders }, (_, i) => send(address, `s${i}`, count)));
      for (const part of [0.1, 0.5]) {
        await eventually(() => sink().delivered > part * lines, patience);
        await nats.kill();
        await eventually(() => sink().note?.includes('NATS is away'), patience);
        await eventually(() => sink().spooled > 0 || sink().accepted === count * senders, patience);
        await nats.start();
      }
      await sent;
      await eventually(() => sink().delivered === count * senders, patience);
      expect(sink()).toMatchObject({ spooled: 0, dropped: {}, failure: null, note: null });
      expectOnceInOrder(await nats.messages('EVENTS'), count * senders);
    },
    2 * patience,
  );

  test('what was spooled while it was away outlives the daemon', async () => {
    const nats = await broker();
    const place = house(configuration(nats));
    await nats.kill();
    const first = await start(place);
    expect(first.status().state).toBe('ready');
    await send(addressOf(first, 'intake'), 'a', 1000);
    await eventually(() => first.status().sinks[0]!.spooled === 1000);
    await first.drainAndStop();
    const second = await start(place);
    await send(addressOf(second, 'intake'), 'b', 1000);
    await eventually(() => second.status().sinks[0]!.spooled === 2000);
    await nats.start();
    await eventually(() => second.status().sinks[0]!.delivered === 2000, 30_000);
    const messages = await nats.messages('EVENTS');
    expectOnceInOrder(messages, 2000);
    expect(messages[0]).toMatchObject({ subject: 'intake.intake' });
    expect(messages.map(({ text }) => JSON.parse(text).text)).toEqual(
      ['a', 'b'].flatMap((name) => Array.from({ length: 1000 }, (_, i) => `${name} ${i}`)),
    );
  });

  test('a reload that changes the sink hands over what waits', async () => {
    const nats = await broker();
    const place = house(configuration(nats));
    await nats.kill();
    const daemon = await start(place);
    await send(addressOf(daemon, 'intake'), 'a', 500);
    await eventually(() => daemon.status().sinks[0]!.spooled === 500);
    place.write(configuration(nats, ', deduplicate: 1m'));
    await daemon.reload();
    await send(addressOf(daemon, 'intake'), 'b', 500);
    await nats.start();
    await eventually(() => daemon.status().sinks[0]!.delivered === 1000, 30_000);
    expectOnceInOrder(await nats.messages('EVENTS'), 1000);
  });

  test('a token is needed, wrong ones are told, and a stream for other subjects is refused', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'reeve-nats-conf-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(path.join(folder, 'nats.conf'), 'authorization { token: "secret" }\n');
    const nats = await broker(['-c', path.join(folder, 'nats.conf')], { token: 'secret' });
    const place = house(configuration(nats, ', token: wrong'));
    const daemon = await start(place);
    await eventually(() => /authorization/i.test(daemon.status().sinks[0]!.note ?? ''));
    place.write(configuration(nats, ', token: secret'));
    await daemon.reload();
    await send(addressOf(daemon, 'intake'), 'a', 1);
    await eventually(() => daemon.status().sinks[0]!.delivered === 1);
    place.write(configuration(nats, ', token: secret').replace('intake.{listener}', 'other.{listener}'));
    await daemon.reload();
    await eventually(() =>
      daemon
        .status()
        .sinks[0]!.note?.includes('stream EVENTS does not take other.*: its subjects are intake.*'),
    );
  });
});
