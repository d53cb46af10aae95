// For tests of sinks: records, a context that remembers events, and a stream that stalls or fails as it is told.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type Context, type ReeveEvent, silentLog, systemClock } from '../../src/core/index.ts';
import { openSink, type Sink, type SinkConfig, type SinkRecord } from '../../src/sinks/index.ts';

export const large = { size: 1e9, keep: 2 };

export const common = {
  time: '2026-01-02T03:04:05.678Z',
  listener: 'intake',
  connection: 'x-1',
  client: '127.0.0.1:5',
};

export function record(sequence: number, data: string | Buffer = `frame ${sequence}`): SinkRecord {
  return { ...common, sequence, data: Buffer.from(data as string) };
}

export async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'reeve-sink-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

export function sinkContext(events: ReeveEvent[] = []): Context {
  return { clock: systemClock, random: Math.random, log: silentLog, emit: (event) => events.push(event) };
}

export interface OpenOptions {
  where?: string;
  stdout?: Writable;
  events?: ReeveEvent[];
}

/** Opened and started, as the daemon does it; a file is closed after the test where it has not done so. */
export async function opened(config: Partial<SinkConfig>, options: OpenOptions = {}): Promise<Sink> {
  const { where = '/', stdout = process.stdout, events } = options;
  const whole: SinkConfig = { rotate: large, fsync: 'none', ...config };
  const place = {
    folder: where,
    stateFolder: path.join(where, 'state'),
    stdout,
    context: sinkContext(events),
  };
  const sink = await openSink('s', whole, place);
  // Node 26 ends a program that leaves a file open for the collector. One that has failed says so again, and is closed.
  if (config.file !== undefined) onTestFinished(() => sink.close().catch(() => {}));
  sink.start();
  return sink;
}

export const parse = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A stream that takes its time, or fails, as it is told, and lives on after a failure as process.stdout does. */
export class Console extends Writable {
  text = '';
  stalled: (() => void)[] | null = null;
  broken: Error | null = null;

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
    (this as unknown as { _undestroy(): void })._undestroy();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const take = () => {
      this.text += chunk.toString();
      done();
    };
    if (this.stalled) this.stalled.push(take);
    else if (this.broken) done(this.broken);
    else take();
  }

  go(): void {
    const held = this.stalled ?? [];
    this.stalled = null;
    for (const take of held) take();
  }
}
