// The stream that a dashboard lives on: the whole status first, then what changes, and events from where it broke off.
import { beforeEach, expect, test } from 'vitest';
import { openFixture } from './daemon-api-fixture.ts';

let fixture: Awaited<ReturnType<typeof openFixture>>;
beforeEach(async () => {
  fixture = await openFixture();
});

interface Message {
  id: number | null;
  event: string;
  data: { message?: string; status?: object; whole?: object; fields?: object };
}

/** Messages until one fits. */
async function read(
  query: string,
  headers: Record<string, string>,
  isLast: (message: Message) => boolean,
): Promise<Message[]> {
  const signal = AbortSignal.timeout(15_000);
  const response = await fetch(`http://${fixture.api.address}/api/v1/live${query}`, { headers, signal });
  const messages: Message[] = [];
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      if (!field('data')) continue;
      const id = field('id');
      messages.push({
        id: id === undefined ? null : Number(id),
        event: field('event')!,
        data: JSON.parse(field('data')!),
      });
      if (isLast(messages.at(-1)!)) return messages;
    }
  }
  throw new Error(`the stream ended after ${messages.length} messages`);
}

const told = (messages: Message[]) =>
  messages.filter(({ event }) => event === 'event').map(({ data }) => data.message);

test.each(['Last-Event-ID', 'since'])(
  'after a break it goes on from the last event, told by %s',
  async (by) => {
    fixture.emit('one');
    const last = fixture.emit('two');
    fixture.emit('three');
    fixture.emit('four');
    const [query, headers] =
      by === 'since' ? [`?since=${last}`, {}] : ['', { 'last-event-id': String(last) }];
    const messages = await read(query, headers, ({ data }) => data.message === 'four');
    expect(messages[0]).toMatchObject({ event: 'hello', data: { status: { state: 'ready' } } });
    expect(told(messages)).toEqual(['three', 'four']);
    expect(messages.filter(({ event }) => event === 'event').every(({ id }) => (id ?? 0) > last)).toBe(true);
  },
);

test('who has seen nothing gets what is kept, then the status whole and what happens', async () => {
  fixture.emit('before');
  let emitted = false;
  const messages = await read('', {}, ({ event, data }) => {
    if (event === 'patch' && !emitted) {
      emitted = true;
      fixture.emit('now');
    }
    return data.message === 'now';
  });
  expect(told(messages)).toEqual(['before', 'now']);
  expect(messages.find(({ event }) => event === 'patch')!.data).toHaveProperty('whole');
});
