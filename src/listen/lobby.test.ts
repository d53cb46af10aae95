// Who has to go from a full lobby: never anybody of a network that has as few there as the newcomer's.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Lobby } from './lobby.ts';

it('lets the longest there of the busiest network go, and nobody for one of that network', () => {
  const lobby = new Lobby<string>();
  lobby.add('few', '10.0.0.1');
  for (const name of ['first', 'second', 'third']) lobby.add(name, '10.0.0.2');
  expect(lobby.whoYieldsTo('10.0.0.3')).toBe('first');
  expect(lobby.whoYieldsTo('10.0.0.1')).toBe('first');
  expect(lobby.whoYieldsTo('10.0.0.2')).toBeNull();
  lobby.delete('first');
  expect(lobby.whoYieldsTo('10.0.0.3')).toBe('second');
  expect(lobby.whoYieldsTo('10.0.0.1')).toBeNull();
});

it('takes a /64 of IPv6 for one network', () => {
  const lobby = new Lobby<string>();
  lobby.add('one', '2001:db8::1');
  lobby.add('two', '2001:db8::2');
  expect(lobby.whoYieldsTo('2001:db8::3')).toBeNull();
  expect(lobby.whoYieldsTo('2001:db8:0:1::3')).toBe('one');
});

it('however they come: one network alone cannot keep another out', () => {
  const address = fc.integer({ min: 1, max: 4 }).map((last) => `10.0.0.${last}`);
  fc.assert(
    fc.property(fc.array(address, { maxLength: 60 }), (newcomers) => {
      const lobby = new Lobby<number>();
      const room = 8;
      for (const [number, each] of [...Array(room).fill('10.0.0.9'), ...newcomers].entries()) {
        if (lobby.size < room) lobby.add(number, each);
        else {
          const yields = lobby.whoYieldsTo(each);
          if (yields === null) continue;
          lobby.delete(yields);
          lobby.add(number, each);
        }
      }
      expect(lobby.size).toBe(room);
      if (newcomers.length > 0) expect(lobby.all().some((number) => number >= room)).toBe(true);
    }),
  );
});
