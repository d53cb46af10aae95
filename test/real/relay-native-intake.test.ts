// What the native engine's intake must stand: workers killed, a sink that stands still, a sink that is replaced.
import { describe, expect, it } from 'vitest';
import { createNativeEngine, type NativeEngine } from '../../src/relay/index.ts';
import type { Sink } from '../../src/sinks/index.ts';
import { cutCode, dial, readAll, type Serving, serve } from '../contract/engine-harness.ts';
import { bundled } from '../support/bundled.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { Console, opened, parse } from '../support/sinks.ts';

const file = await bundled(new URL('../../src/relay/native/worker.ts', import.meta.url));

async function serveNative(sink: Sink, workers: number): Promise<Serving & { engine: NativeEngine }> {
  let engine: NativeEngine | undefined;
  const serving = await serve(
    (context) => {
      engine = createNativeEngine(context, { file, workers });
      return engine;
    },
    { sink },
  );
  return { ...serving, engine: engine! };
}

/** One connection with its lines; whether its end said that all of them were taken. */
async function deliver(port: number, lines: string[]): Promise<boolean> {
  try {
    const client = await dial(port);
    client.end(lines.join(''));
    await readAll(client);
    return true;
  } catch {
    return false;
  }
}

describe.runIf(needs('the intake of the native engine', 'linux'))('native intake', () => {
  it('has every line of each connection that it ended properly, though workers are killed all the time', async () => {
    const stdout = new Console();
    const sink = await opened({ stdout: true }, { stdout });
    const { port, engine } = await serveNative(sink, 2);
    expect(await deliver(port, ['first\n'])).toBe(true);
    const promised = ['first'];
    let cut = 0;
    let stop = false;
    const clients = Array.from({ length: 8 }, async (_, who) => {
      for (let turn = 0; !stop; turn++) {
        const lines = Array.from({ length: 1 + (turn % 50) }, (_, i) => `${who} ${turn} ${i}`);
        if (
          await deliver(
            port,
            lines.map((line) => `${line}\n`),
          )
        )
          promised.push(...lines);
        else cut += 1;
      }
    });
    for (let kills = 0; kills < 4; kills++) {
      const mark = promised.length;
      await eventually(() => promised.length > mark + 500, 30_000);
      process.kill((await eventually(() => engine.workers()[0]))!, 'SIGKILL');
    }
    stop = true;
    await Promise.all(clients);
    await sink.close();
    const received = parse(stdout.text).map(({ text }) => text);
    const have = new Set(received);
    expect(promised.filter((line) => !have.has(line))).toEqual([]);
    expect(have.size).toBe(received.length);
    expect(cut).toBeGreaterThan(0);
  });

  it('ends a connection properly only when the sink has all of it; a worker that dies before that resets it', async () => {
    const stdout = new Console();
    stdout.broken = new Error('ENOSPC');
    const sink = await opened({ stdout: true }, { stdout });
    sink.write({ time: '', listener: '', connection: '', client: '', sequence: 1, data: 'before' });
    await eventually(() => sink.failure);
    const { port, engine, reports } = await serveNative(sink, 1);
    const client = await dial(port);
    const outcome = cutCode(client);
    client.end('a line\n');
    await reports.until(() => reports.bytesIn === 7);
    process.kill(engine.workers()[0]!, 'SIGKILL');
    expect(await outcome).toBe('ECONNRESET');
    expect(await reports.end()).toMatchObject({ reason: 'error', detail: 'its relay worker died' });
    stdout.broken = null;
    await eventually(() => sink.failure === null);
    await sink.close();
  });

  it('goes on with the sink of a new plan', async () => {
    const [before, after] = [new Console(), new Console()];
    const sink = await opened({ stdout: true }, { stdout: before });
    const { port, listener, plan } = await serveNative(sink, 1);
    const client = await dial(port);
    client.write('one\n');
    await eventually(() => before.text.includes('"one"'));
    const next = await opened({ stdout: true }, { stdout: after });
    listener.update({ ...plan, sink: next });
    await sink.close();
    client.end('two\n');
    await readAll(client);
    await next.close();
    expect(parse(before.text).map(({ text }) => text)).toEqual(['one']);
    expect(parse(after.text)).toMatchObject([{ text: 'two', sequence: 2 }]);
  });
});
