// No secret of a configuration gets out, and everything else stays as it is.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween, hiddenValue, masked } from './mask.ts';

test('secrets are hidden wherever a configuration may have them', () => {
  const secret = 'hunter2';
  const shown = masked({
    control: { tokenFile: './token' },
    services: {
      api: {
        command: ['node', 'server.js', `--db-password=${secret}`, '--api-key', secret, '--port', '1'],
        env: { MODE: secret },
        instances: 2,
      },
    },
    checks: {
      db: { url: `http://user:${secret}@host/x?token=${secret}&a=1`, headers: { authorization: secret } },
    },
    actions: [{ webhook: `https://hooks.example/${secret}` }],
    registry: { consul: { token: secret, tokenFile: './consul-token' } },
  });
  expect(JSON.stringify(shown)).not.toContain(secret);
  expect(shown).toMatchObject({
    control: { tokenFile: './token' },
    services: { api: { env: { MODE: hiddenValue }, instances: 2 } },
    checks: { db: { url: `http://${hiddenValue}@host/x?token=${hiddenValue}&a=1` } },
    registry: { consul: { tokenFile: './consul-token' } },
  });
  expect((shown as { services: { api: { command: string[] } } }).services.api.command).toEqual([
    ...['node', 'server.js', `--db-password=${hiddenValue}`, '--api-key', hiddenValue, '--port', '1'],
  ]);
});

test('what holds no secret comes out as it went in', () => {
  const plain = fc.dictionary(
    fc.constantFrom('bind', 'weight', 'policy', 'listen'),
    fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom('tcp://a:1', '127.0.0.1:80')),
  );
  fc.assert(
    fc.property(plain, (value) => {
      expect(masked(value)).toEqual({ ...value });
    }),
  );
});

test('differences name each value that became another', () => {
  expect(changesBetween({ a: { b: 1, c: [1] }, gone: 1 }, { a: { b: 2, c: [1, 2] }, come: 2 })).toEqual([
    { path: 'a.b', before: 1, after: 2 },
    { path: 'a.c', before: [1], after: [1, 2] },
    { path: 'gone', before: 1, after: null },
    { path: 'come', before: null, after: 2 },
  ]);
});
