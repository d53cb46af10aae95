// The event bus: ids, the ring's bound, resuming.
import { expect, test } from 'vitest';
import { systemClock } from '../core/context.ts';
import { createEventBus } from './events.ts';

const event = (message: string) => ({ kind: 'daemon' as const, subject: 'daemon', message, detail: {} });

test('ids increase by one, and subscribers get each event once until they leave', () => {
  const bus = createEventBus(systemClock);
  const seen: string[] = [];
  const leave = bus.subscribe(({ message }) => seen.push(message));
  const first = bus.emit(event('a'));
  const second = bus.emit(event('b'));
  leave();
  bus.emit(event('c'));
  expect(second.id).toBe(first.id + 1);
  expect(seen).toEqual(['a', 'b']);
});

test('a client resumes after the id it has seen', () => {
  const bus = createEventBus(systemClock);
  const first = bus.emit(event('a'));
  bus.emit(event('b'));
  expect(bus.since(first.id).events.map(({ message }) => message)).toEqual(['b']);
  expect(bus.since(first.id).lost).toBe(false);
  expect(bus.since(bus.last()).events).toEqual([]);
});

test('the ring keeps the newest, and says when something between is gone', () => {
  const bus = createEventBus(systemClock, 3);
  const first = bus.emit(event('0'));
  for (let i = 1; i < 10; i++) bus.emit(event(String(i)));
  const { events, lost } = bus.since(first.id);
  expect(events.map(({ message }) => message)).toEqual(['7', '8', '9']);
  expect(lost).toBe(true);
  expect(bus.since(first.id + 6).lost).toBe(false);
});

test('an id of a former run gives all of this one', () => {
  const before = createEventBus(systemClock);
  const old = before.emit(event('old'));
  const bus = createEventBus({ ...systemClock, wall: () => systemClock.wall() + 1000 });
  bus.emit(event('new'));
  expect(bus.since(old.id).events).toHaveLength(1);
  expect(bus.since(bus.last() + 5).events).toHaveLength(1);
});
