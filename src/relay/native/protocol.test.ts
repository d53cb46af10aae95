// Messages between the control process and its workers: whole however they are cut, and refused when they are none.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Command, Decoder, encode, longestLine } from './protocol.ts';

const commands: Command[] = [
  { do: 'drain', id: 7, deadlineMs: 30_000 },
  { do: 'taken', id: 7, number: 5, failed: false },
  {
    do: 'serve',
    id: 8,
    sockets: 2,
    place: { slot: 0, queueSlot: 1, seat: 1, seats: 2 },
    plan: {
      named: true,
      name: 'wëb "1"\n',
      allow: ['10.0.0.0/8'],
      deny: undefined,
      limits: { connections: 5, idle: 1000 },
      balance: {
        policy: 'round-robin',
        retries: 2,
        retryBudget: { percent: 20, least: 3 },
        connectTimeout: 5000,
        queue: { size: 10, timeout: 1000 },
      },
      intake: { frame: 'line', limit: 1000 },
      targets: [
        {
          id: 'höst:80',
          host: 'höst',
          port: 80,
          weight: 1,
          backup: false,
          verdict: 'up',
          draining: false,
          max: null,
          slot: null,
          addresses: ['::1'],
        },
      ],
    },
  },
  { do: 'adopt', id: 8, connections: 3 },
];

it('come out whole, wherever the stream is cut', () => {
  const stream = Buffer.from(commands.map(encode).join(''));
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const decoder = new Decoder<Command>();
      const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const got = at.slice(1).flatMap((to, i) => decoder.push(stream.subarray(at[i], to)));
      expect(got).toEqual(commands);
    }),
  );
});

it.each(['\n', 'null\n', '[]\n', '{}\n', '7\n', '{"do":\n'])('%j is refused', (line) => {
  expect(() => new Decoder<Command>().push(Buffer.from(line))).toThrow(/^no message/);
});

it('never gathers more than one line may have', () => {
  const decoder = new Decoder<Command>();
  const piece = Buffer.alloc(1024 * 1024, 'x');
  expect(() => {
    for (let got = 0; got <= longestLine; got += piece.length) decoder.push(piece);
  }).toThrow(/longer than/);
});
