// Handlers in a running daemon: the examples, ones that misbehave, and what a reload takes up.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/children.ts';
import { addressOf, ask, house, start } from './daemon-support.ts';

const examples = fileURLToPath(new URL('../../examples/handlers/', import.meta.url));

async function dial(address: string): Promise<Socket> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host!);
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the end; rejects where it is cut. */
async function rest(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function say(address: string, text: string): Promise<string> {
  const socket = await dial(address);
  socket.end(text);
  return rest(socket);
}

const oneListener = (file: string, more = '') =>
  `listeners:\n  custom: { bind: ["127.0.0.1:0"], ${more}handler: ${file} }\n`;

describe('the examples', () => {
  test('echo, line and http answer', async () => {
    const text = readFileSync(path.join(examples, 'reeve.yaml'), 'utf8');
    const yaml = text
      .replace(/^(control|state):.*\n/gm, '')
      .replaceAll(/127\.0\.0\.1:91\d\d/g, '127.0.0.1:0')
      .replaceAll('./', examples);
    const daemon = await start(house(yaml));
    const large = 'x'.repeat(3_000_000);
    expect(await say(addressOf(daemon, 'echo'), large)).toBe(large);
    const answer = await say(addressOf(daemon, 'line'), 'upper how are you\nadd 1 2 39\nnonsense\nwhoami');
    expect(answer.split('\n')).toEqual([
      'HOW ARE YOU',
      '42',
      'unknown command: there are upper, add, whoami',
      expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      '',
    ]);
    const page = await ask(addressOf(daemon, 'http'), '/hello');
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('you asked for /hello') });
    expect((await ask(addressOf(daemon, 'http'), '/', { method: 'PUT' })).status).toBe(405);
    const status = daemon.status().listeners.find(({ name }) => name === 'line')!;
    expect(status).toMatchObject({ engine: 'portable', serves: 'handler/line.ts', ended: { done: 1 } });
    expect(status.handler).toMatchObject({ threads: 2, running: 0, queued: 0, calls: 4, failed: 0 });
  });

  test('a client that does not read makes the handler wait', async () => {
    const place = house(oneListener('./flood.ts'));
    writeFileSync(
      path.join(place.folder, 'flood.ts'),
      `export default async function* () { for (let i = 0; i < 1000; i++) yield Buffer.alloc(100_000, 'x'); }`,
    );
    const daemon = await start(place);
    const socket = await dial(addressOf(daemon, 'custom'));
    const sent = () => daemon.status().listeners[0]!.bytes.sent;
    let before = -1;
    await eventually(async () => {
      const same = sent() > 0 && sent() === before;
      before = sent();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return same;
    });
    expect(sent()).toBeLessThan(50_000_000);
    expect((await rest(socket)).length).toBe(100_000_000);
  });
});

const hostile = `
import type { FrameHandler } from 'portreeve';
enum Word { Hang = 'hang', Exit = 'exit', Throw = 'throw', Later = 'later', Big = 'big', Forget = 'forget' }
const handler: FrameHandler = async (frame) => {
  const word: string = frame.toString();
  if (word === Word.Hang) for (;;);
  if (word === Word.Forget) return new Promise(() => {});
  if (word === Word.Exit) process.exit(3);
  if (word === Word.Throw) throw new Error('as asked');
  if (word === Word.Later) setTimeout(() => { throw new Error('nobody waits for this'); }, 1);
  if (word === Word.Big) { const all = []; for (;;) all.push(new Array(1e6).fill(word)); }
  return 'fine\\n';
};
export default handler;
`;

describe('a handler that misbehaves', () => {
  test('hurts neither the daemon nor other clients', async () => {
    const place = house(oneListener('{ file: ./hostile.ts, threads: 2, timeout: 4s }', 'frame: line, '));
    writeFileSync(path.join(place.folder, 'hostile.ts'), hostile);
    const daemon = await start(place);
    const address = addressOf(daemon, 'custom');
    const ended = () => daemon.status().listeners[0]!.ended as Record<string, number>;
    const good = await dial(address);
    const answers: string[] = [];
    good.on('data', (bytes: Buffer) => answers.push(...bytes.toString().trimEnd().split('\n')));
    let asked = 0;
    const asking = async () => {
      good.write('x\n');
      asked += 1;
      await eventually(() => answers.length === asked, 20_000);
    };
    await asking();
    for (const [word, reason] of [
      ['throw', 'handler-failed'],
      ['exit', 'handler-crashed'],
      ['hang', 'handler-timeout'],
      ['forget', 'handler-timeout'],
    ] as const) {
      const before = ended()[reason] ?? 0;
      const bad = await dial(address);
      bad.write(`${word}\n`);
      // The other one is answered meanwhile, on the other thread.
      await asking();
      await eventually(() => (ended()[reason] ?? 0) === before + 1, 20_000);
      await asking();
    }
    // Not part of any call: its thread is replaced, and nobody notices.
    const late = await dial(address);
    late.end('later\n');
    expect(await rest(late).catch(() => 'cut')).toMatch(/^(fine\n|cut)$/);
    await eventually(() => daemon.status().listeners[0]!.handler!.crashes >= 2, 20_000);
    await asking();
    good.destroy();
    expect(answers.every((answer) => answer === 'fine')).toBe(true);
    expect(daemon.status().listeners[0]!.handler).toMatchObject({ failed: 1, timeouts: 2, running: 0 });
  });

  test('is ended when it takes too much memory', async () => {
    const place = house(
      oneListener('{ file: ./hostile.ts, threads: 1, memory: 40MB, timeout: 60s }', 'frame: line, '),
    );
    writeFileSync(path.join(place.folder, 'hostile.ts'), hostile);
    const daemon = await start(place);
    const address = addressOf(daemon, 'custom');
    const bad = await dial(address);
    bad.write('big\n');
    await eventually(() => daemon.status().listeners[0]!.ended['handler-crashed'] === 1, 30_000);
    expect(await say(address, 'x\n')).toBe('fine\n');
  });

  test('with whole connections: a thread that hangs or ends is given up, and the next client is served', async () => {
    const place = house(oneListener('{ file: ./whole.mjs, threads: 1, timeout: 3s }'));
    writeFileSync(
      path.join(place.folder, 'whole.mjs'),
      `export default async (connection) => {
        for await (const bytes of connection) {
          if (String(bytes) === 'hang') for (;;);
          if (String(bytes) === 'exit') process.exit(0);
          if (String(bytes) === 'throw') throw new Error('as asked');
          await connection.write(bytes);
        }
      };`,
    );
    const daemon = await start(place);
    const address = addressOf(daemon, 'custom');
    const ended = () => daemon.status().listeners[0]!.ended as Record<string, number>;
    for (const [word, reason] of [
      ['throw', 'handler-failed'],
      ['hang', 'handler-timeout'],
      ['exit', 'handler-crashed'],
    ] as const) {
      const bad = await dial(address);
      bad.write(word);
      await eventually(() => ended()[reason] === 1, 20_000);
      expect(await say(address, 'hello')).toBe('hello');
    }
  });

  test('calls wait in turn when every thread is taken, and a client that leaves takes nothing along', async () => {
    const place = house(oneListener('{ file: ./slow.ts, threads: 1 }', 'frame: line, '));
    writeFileSync(
      path.join(place.folder, 'slow.ts'),
      `export default (frame: Buffer) => new Promise<string>((done) => setTimeout(done, 100, frame + '\\n'));`,
    );
    const daemon = await start(place);
    const address = addressOf(daemon, 'custom');
    const all = Array.from({ length: 8 }, (_, i) => say(address, `${i}\n`));
    await eventually(() => daemon.status().listeners[0]!.handler!.queued >= 5);
    (await dial(address)).resetAndDestroy();
    expect(await Promise.all(all)).toEqual(Array.from({ length: 8 }, (_, i) => `${i}\n`));
    const counters = daemon.status().listeners[0]!.handler!;
    expect(counters).toMatchObject({ queued: 0, running: 0, calls: 8 });
    expect(counters.longestWaitMs).toBeGreaterThan(300);
  });
});

describe('a reload', () => {
  test('takes up a changed file, or one that it imports, for new connections', async () => {
    const place = house(oneListener('./main.ts', 'frame: line, '));
    const write = (name: string, text: string) => writeFileSync(path.join(place.folder, name), text);
    write('word.ts', `export const word: string = 'one';`);
    write('main.ts', `import { word } from './word.ts';\nexport default () => word + '\\n';`);
    const daemon = await start(place);
    const address = addressOf(daemon, 'custom');
    const old = await dial(address);
    const oldAnswer = async () => {
      old.write('x\n');
      return String((await once(old, 'data'))[0]);
    };
    expect(await oldAnswer()).toBe('one\n');
    expect(await daemon.reload()).toMatchObject({ changes: false });
    write('word.ts', `export const word: string = 'two';`);
    expect(await daemon.reload()).toMatchObject({ changes: true, listeners: { changed: ['custom'] } });
    expect(await say(address, 'x\n')).toBe('two\n');
    expect(await oldAnswer()).toBe('one\n');
    write('main.ts', 'export default 5 ((');
    await expect(daemon.reload()).rejects.toMatchObject({ code: 'config' });
    expect(await say(address, 'x\n')).toBe('two\n');
    old.end();
  });

  test('is refused where the file is none; so is the start', async () => {
    const place = house(oneListener('./missing.ts'));
    await expect(start(place)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/missing\.ts of listener 'custom' cannot be loaded: /),
    });
    place.write(oneListener('./number.mjs'));
    writeFileSync(path.join(place.folder, 'number.mjs'), 'export default 5;');
    await expect(start(place)).rejects.toThrow(/has no function as its default export/);
  });
});
