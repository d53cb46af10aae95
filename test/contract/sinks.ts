// The contract of sinks: order, waiting, failing and going on, closing, counting. Every kind is held to it.
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ReeveEvent } from '../../src/core/context.ts';
import { createPortableEngine } from '../../src/relay/index.ts';
import type { Sink } from '../../src/sinks/index.ts';
import { eventually } from '../support/children.ts';
import { common, record } from '../support/sinks.ts';
import { readAll, serve, settled } from './engine-harness.ts';

export interface Place {
  sink: Sink;
  events: ReeveEvent[];
  /** What arrived, in order. */
  records(): Promise<Record<string, unknown>[]>;
  /** From now on nothing is taken, by a failure or by standing still. */
  stop(): Promise<void>;
  /** All is well again. */
  go(): Promise<void>;
  /** How many records of 10 kB a stopped one may accept at the most. */
  bound: number;
}

export type MakePlace = () => Promise<Place>;

const padding = '.'.repeat(10_000);
const sequences = (records: Record<string, unknown>[]) => records.map(({ sequence }) => sequence);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

export function sinkContract(kind: string, make: MakePlace): void {
  describe(`${kind} sink`, () => {
    it('delivers each record in order, text as text and the rest as base64', async () => {
      const { sink, records } = await make();
      expect([sink.name, sink.kind]).toEqual(['s', kind]);
      const content = ['plain', 'ü "quoted"\n\u0000', Buffer.from([0xff, 0x00]), ''];
      for (const [i, data] of content.entries()) expect(sink.write(record(i + 1, data))).toBeUndefined();
      await eventually(() => sink.counters().delivered === 4);
      await sink.close();
      expect(await records()).toEqual([
        { ...common, sequence: 1, bytes: 5, text: 'plain' },
        { ...common, sequence: 2, bytes: 13, text: 'ü "quoted"\n\u0000' },
        { ...common, sequence: 3, bytes: 2, base64: '/wA=' },
        { ...common, sequence: 4, bytes: 0, text: '' },
      ]);
      expect(sink.counters()).toMatchObject({ accepted: 4, delivered: 4, spooled: 0, dropped: {} });
      expect(sink.counters().bytes).toBeGreaterThan(200);
    });

    it('makes writers wait when it is stopped, within a bound, takes them in order, and loses nothing', async () => {
      const { sink, records, stop, go, bound } = await make();
      await stop();
      let sent = 0;
      let wait: Promise<void> | undefined;
      while (!wait && sent <= bound) {
        wait = sink.write(record(++sent, padding));
        if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(wait).toBeDefined();
      const later = Array.from({ length: 20 }, () => sink.write(record(++sent, padding)));
      expect(later.every((promise) => promise !== undefined)).toBe(true);
      expect(sink.counters().delivered).toBe(0);
      await go();
      await Promise.all([wait, ...later]);
      await eventually(() => sink.counters().delivered === sent, 30_000);
      await sink.close();
      expect(sequences(await records())).toEqual(upTo(sent));
      expect(sink.counters()).toMatchObject({ accepted: sent, delivered: sent, dropped: {} });
    });

    it('stops the reading of a socket, and goes on with it', async () => {
      const { sink, records, stop, go } = await make();
      const { port, reports } = await serve(createPortableEngine, { sink });
      await stop();
      const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      onTestFinished(() => void client.destroy());
      await once(client, 'connect');
      const count = 4000;
      client.end(`${padding}\n`.repeat(count));
      await reports.until(() => reports.bytesIn > 0);
      expect(await settled(() => reports.bytesIn)).toBeLessThan(count * padding.length * 0.8);
      await go();
      await readAll(client);
      expect((await reports.end()).reason).toBe('done');
      await eventually(() => sink.counters().delivered === count, 30_000);
      expect(sequences(await records())).toEqual(upTo(count));
    });

    it('delivers at its close what it accepted, and takes nothing after', async () => {
      const { sink, records } = await make();
      for (let i = 1; i <= 500; i++) await sink.write(record(i));
      await sink.close();
      await sink.close();
      expect(sequences(await records())).toEqual(upTo(500));
      await expect(sink.write(record(1))).rejects.toMatchObject({ code: 'conflict' });
    });

    it('counts what was given up, by reason', async () => {
      const { sink } = await make();
      sink.drop(2, 'drained');
      sink.drop(1, 'drained');
      expect(sink.counters().dropped).toEqual({ drained: 3 });
    });
  });
}
