// To whom Ctrl-C may go, and marks in environments.
import { expect, it } from 'vitest';
import { mayInterrupt } from './console.ts';
import { hasEntry } from './containment.ts';

const node = (pid: number, parent: number | null) => ({ pid, parent, start: '1', name: `${pid}.exe` });
// A shell (10) runs a server (20) with a worker (21), and another program (30); reeve (50) has a shell of its own (40).
const nodes = [
  node(10, 1),
  node(20, 10),
  node(21, 20),
  node(30, 10),
  node(40, 1),
  node(50, 40),
  node(1, null),
];

it.each([
  [[20], true],
  [[10, 20, 21], true],
  [[10, 20, 30], false],
  [[20, 50], false],
  [[20, 40], false],
])('%j on the console of 20: %s', (attached, allowed) => {
  expect(mayInterrupt(attached, 20, 50, nodes)).toBe(allowed);
});

it.each([
  ['A=1\0REEVE_RUN=x\0', true],
  ['REEVE_RUN=x\0', true],
  ['XREEVE_RUN=x\0', false],
  ['REEVE_RUN=xy\0', false],
])('finds the whole entry in %j: %s', (text, found) => {
  expect(hasEntry(Buffer.from(text, 'utf16le'), Buffer.from('REEVE_RUN=x\0', 'utf16le'))).toBe(found);
});
