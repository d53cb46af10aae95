// Where --elevate stands, and what it leaves for the command.
import { expect, it } from 'vitest';
import { withoutElevate } from './elevate.ts';

it.each([
  [
    ['--elevate', 'who', '3000'],
    ['who', '3000'],
  ],
  [
    ['--json', '--elevate', 'who'],
    ['--json', 'who'],
  ],
  [['who', '--elevate'], null],
  [['run', '--', 'tool', '--elevate'], null],
  [[], null],
])('%j', (args, rest) => {
  expect(withoutElevate(args)).toEqual(rest);
});
