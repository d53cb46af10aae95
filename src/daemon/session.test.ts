// Sessions: both halves are needed, of the same session, in time, of the present token.
import { expect, test } from 'vitest';
import { cookieIn, isSession, openSession } from './session.ts';

const token = 'a'.repeat(64);

test('both halves of one session are a session until it runs out', () => {
  const { cookie, proof, expiresAt } = openSession(token, 1000);
  const other = openSession(token, 2000);
  expect(isSession(token, cookie, proof, 1001)).toBe(true);
  expect(isSession(token, cookie, proof, expiresAt)).toBe(false);
  expect(isSession(token, cookie, undefined, 1001)).toBe(false);
  expect(isSession(token, undefined, proof, 1001)).toBe(false);
  expect(isSession(token, cookie, other.proof, 1001)).toBe(false);
  expect(isSession('b'.repeat(64), cookie, proof, 1001)).toBe(false);
});

test('nobody prolongs it by writing a later end', () => {
  const { cookie, proof } = openSession(token, 1000);
  const later = `${Number(cookie.split('.')[0]) + 1}.${cookie.split('.')[1]}`;
  expect(isSession(token, later, proof, 1001)).toBe(false);
  for (const odd of ['', '.', 'x.y', '1e400.z', '9'.repeat(400)])
    expect(isSession(token, odd, proof, 1)).toBe(false);
});

test('a cookie is found among others', () => {
  expect(cookieIn('a=1; reeve_7070=x.y ;reeve_70=z', 'reeve_7070')).toBe('x.y');
  expect(cookieIn('xreeve_7070=1', 'reeve_7070')).toBeUndefined();
  expect(cookieIn(undefined, 'a')).toBeUndefined();
});
