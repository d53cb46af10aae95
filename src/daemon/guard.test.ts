// The guard: what a hostile web page or a foreign host could send is refused.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judge } from './guard.ts';

const token = 'a'.repeat(64);
const ask = (method: string, headers: Record<string, string>, remote = '127.0.0.1') =>
  judge(
    { method, url: '/api/v1/x', headers: { host: '127.0.0.1:7070', ...headers }, port: 7070, remote },
    '127.0.0.1',
    token,
  )?.status ?? 'passes';

test('reading needs no token, acting does', () => {
  expect(ask('GET', {})).toBe('passes');
  expect(ask('HEAD', {})).toBe('passes');
  expect(ask('POST', {})).toBe(401);
  expect(ask('POST', { authorization: `Bearer ${token}` })).toBe('passes');
  for (const authorization of [
    token,
    'Bearer',
    'Bearer ',
    `Bearer ${token}x`,
    `bearer ${token}`,
    'Basic YTpi',
  ]) {
    expect(ask('POST', { authorization }), authorization).toBe(401);
  }
});

test('only loopback names with the right port are this API', () => {
  for (const host of ['127.0.0.1:7070', 'localhost:7070', 'LOCALHOST:7070', '[::1]:7070']) {
    expect(ask('GET', { host }), host).toBe('passes');
  }
  for (const host of [
    'evil.example:7070',
    '127.0.0.1:7071',
    '127.0.0.1',
    'localhost',
    '',
    '127.0.0.1.evil.example:7070',
  ]) {
    expect(ask('GET', { host }), host).toBe(403);
  }
  expect(
    judge({ method: 'GET', url: '/', headers: {}, port: 7070, remote: '::1' }, '127.0.0.1', token)?.status,
  ).toBe(403);
});

test('web pages from elsewhere are refused, for reading too', () => {
  expect(ask('GET', { origin: 'http://127.0.0.1:7070' })).toBe('passes');
  for (const origin of [
    'http://evil.example',
    'null',
    'https://127.0.0.1:7070',
    'http://127.0.0.1:3000',
    'http://localhost',
  ]) {
    expect(ask('GET', { origin }), origin).toBe(403);
  }
  expect(ask('GET', { 'sec-fetch-site': 'none' })).toBe('passes');
  expect(ask('GET', { 'sec-fetch-site': 'same-origin' })).toBe('passes');
  expect(ask('GET', { 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(ask('GET', { 'sec-fetch-site': 'same-site' })).toBe(403);
});

test('other methods and other machines are refused', () => {
  const authorization = `Bearer ${token}`;
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
    expect(ask(method, { authorization }), method).toBe(405);
  }
  expect(ask('GET', {}, '10.0.0.1')).toBe(403);
  expect(ask('GET', {}, '::ffff:127.0.0.1')).toBe('passes');
});

test('whatever the headers say, nothing acts without the token, and no foreign name is served', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('127.0.0.1:7070', 'localhost:7070', token, `Bearer ${token}`),
  );
  const headers = fc.record(
    { host: text, origin: text, authorization: text, 'sec-fetch-site': text },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'), headers, (method, given) => {
      if (
        judge(
          { method, url: '/api/v1/stop', headers: given, port: 7070, remote: '127.0.0.1' },
          '127.0.0.1',
          token,
        )
      )
        return;
      expect(['127.0.0.1:7070', 'localhost:7070']).toContain(given.host?.toLowerCase());
      if (method === 'POST') expect(given.authorization).toBe(`Bearer ${token}`);
      expect(['GET', 'HEAD', 'POST']).toContain(method);
    }),
    { numRuns: 2000 },
  );
});
