// Server names: exact before wildcard, and a wildcard stands for one label.
import { expect, it } from 'vitest';
import { matchName } from './server-names.ts';

const names = new Map(
  ['a.example.com', '*.example.com', '*.b.example.com', 'localhost'].map((name) => [name, 1]),
);

it.each([
  ['a.example.com', 'a.example.com'],
  ['A.Example.COM', 'a.example.com'],
  ['c.example.com', '*.example.com'],
  ['x.b.example.com', '*.b.example.com'],
  ['x.y.example.com', null],
  ['example.com', null],
  ['*.example.com', '*.example.com'],
  ['.example.com', null],
  ['localhost', 'localhost'],
  ['', null],
  [null, null],
])('%s leads to %s', (name, expected) => expect(matchName(name, names)).toBe(expected));
