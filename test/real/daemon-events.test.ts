// The event stream: resumes where it broke off, waits when asked to, is bounded, and survives an idle connection.
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { beforeEach, expect, test } from 'vitest';
import { type ApiFixture, openFixture } from './daemon-api-fixture.ts';
import { type Answer, ask as askAt } from './daemon-support.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = await openFixture();
});

function ask(path: string): Promise<Answer> {
  return askAt(fixture.api.address, path);
}

/** A stream that is open; its text grows. */
async function openStream(headers: Record<string, string> = {}) {
  const [host, port] = fixture.api.address.split(':');
  const asked: ClientRequest = request({ host, port, path: '/api/v1/events', headers, agent: false });
  asked.on('error', () => {});
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const stream = { asked, response, text: '' };
  response.setEncoding('utf8').on('data', (chunk: string) => {
    stream.text += chunk;
  });
  return stream;
}

test('a stream gives what was missed, then what happens', async () => {
  const first = fixture.emit('one');
  fixture.emit('two');
  const stream = await openStream({ 'last-event-id': String(first) });
  expect(stream.response.headers['content-type']).toContain('text/event-stream');
  await expect.poll(() => stream.text).toContain('"two"');
  const third = fixture.emit('three');
  await expect.poll(() => stream.text).toContain(`id: ${third}\nevent: daemon\ndata: `);
  expect(stream.text).not.toContain('"one"');
  const ended = once(stream.response, 'end');
  await fixture.api.close();
  await ended;
});

test('without an id a stream begins with what happens next', async () => {
  fixture.emit('before');
  const stream = await openStream();
  fixture.emit('after');
  await expect.poll(() => stream.text).toContain('"after"');
  expect(stream.text).not.toContain('"before"');
});

test('a client that comes back with the last id misses nothing and gets nothing twice', async () => {
  let last = 0;
  const seen: string[] = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 10; i++) fixture.emit(`${round}-${i}`);
    const stream = await openStream({ 'last-event-id': String(last) });
    await expect.poll(() => stream.text).toContain(`"${round}-9"`);
    for (const [, id, data] of stream.text.matchAll(/id: (\d+)\nevent: daemon\ndata: (.*)\n/g)) {
      last = Number(id);
      seen.push(JSON.parse(data!).message);
    }
    stream.asked.destroy();
  }
  expect(seen).toHaveLength(50);
  expect(new Set(seen).size).toBe(50);
});

test('plain JSON waits for the next event', async () => {
  const first = fixture.emit('one');
  const waiting = ask(`/api/v1/events?since=${first}&wait=30`);
  // The request is being held once a subscription exists: emit until it answers.
  const timer = setInterval(() => fixture.emit('next'), 20);
  const { text } = await waiting;
  clearInterval(timer);
  expect(JSON.parse(text)).toMatchObject({ lost: false, events: [{ message: 'next' }] });
  expect(JSON.parse((await ask(`/api/v1/events?since=${fixture.events.last()}`)).text).events).toEqual([]);
});

test('streams are bounded, and one that ends makes room', async () => {
  const streams = [];
  for (let i = 0; i < 32; i++) streams.push(await openStream());
  expect(streams.every(({ response }) => response.statusCode === 200)).toBe(true);
  expect((await ask('/api/v1/events')).status).toBe(503);
  streams[0]!.asked.destroy();
  await expect
    .poll(async () => {
      const { asked, response } = await openStream();
      asked.destroy();
      return response.statusCode;
    })
    .toBe(200);
  for (const { asked } of streams) asked.destroy();
});

test('a reader that stops reading is cut off, and holds nothing up', async () => {
  const stream = await openStream();
  stream.response.pause();
  stream.asked.socket!.pause();
  stream.response.on('error', () => {});
  const closed = new Promise((resolve) => stream.response.once('close', resolve));
  // The kernel's buffers take some megabytes before anything waits here.
  for (let emitted = 0; emitted < 8000; emitted++) {
    fixture.emit('x'.repeat(4096));
    if (emitted % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  fixture.emit('the last one');
  stream.asked.socket!.resume();
  stream.response.resume();
  await closed;
  expect(stream.text).not.toContain('the last one');
});
