// What is a URL to probe, and what a command line falls into.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isReeveError } from './errors.ts';
import { commandWords, isLocalProbe, parseProbeUrl } from './probe-url.ts';

test.each([
  ['tcp://[::1]:80', { scheme: 'tcp', host: '::1', port: 80, rest: '' }],
  ['UDP://example.com:53', { scheme: 'udp', host: 'example.com', port: 53 }],
  ['https://example.com/a?b', { scheme: 'https', host: 'example.com', port: 443 }],
  ['grpc://127.0.0.1:50051', { scheme: 'grpc', port: 50051, rest: '' }],
  ['grpcs://127.0.0.1:50051/pkg.Service', { scheme: 'grpcs', rest: 'pkg.Service' }],
  ['tls://example.com', { scheme: 'tls', host: 'example.com', port: 443 }],
  ['unix:/run/x.sock', { scheme: 'unix', rest: '/run/x.sock' }],
  ['unix:///run/x.sock', { scheme: 'unix', rest: '/run/x.sock' }],
  ['exec:./check.sh "two words"', { scheme: 'exec', rest: './check.sh "two words"' }],
])('%s', (url, found) => {
  expect(parseProbeUrl(url)).toMatchObject(found);
});

test.each([
  'tcp://127.0.0.1:80/path',
  'unix:',
  'exec:',
  'exec:"open',
  'ftp://x:1',
  'grpc://nowhere',
  'udp:53',
])('%s is refused as usage', (url) => {
  expect(() => parseProbeUrl(url)).toThrow(expect.objectContaining({ code: 'usage' }));
});

test('whatever comes, it is read or refused in words', () => {
  const start = fc.constantFrom('tcp://', 'exec:', 'unix:', 'http://', 'grpc://', 'tls://', '');
  fc.assert(
    fc.property(start, fc.string({ unit: 'binary', maxLength: 60 }), (scheme, rest) => {
      try {
        expect(parseProbeUrl(scheme + rest).scheme).toBeTruthy();
      } catch (error) {
        expect(isReeveError(error)).toBe(true);
        expect((error as Error).message).not.toMatch(/[\0\x1b]/);
      }
    }),
  );
});

test('words that are quoted come back as they were', () => {
  const word = fc.string({ maxLength: 8 }).filter((text) => !/["\0]/.test(text));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      fc.pre(words[0] !== '');
      expect(commandWords(words.map((one) => `"${one}"`).join(' '))).toEqual(words);
    }),
  );
});

test('what stays on this machine', () => {
  const local = ['tcp://127.9.9.9:1', 'tcp://[::1]:1', 'http://localhost:80/', 'unix:/x', 'exec:true'];
  expect(local.map(isLocalProbe)).toEqual(local.map(() => true));
  expect(isLocalProbe('tcp://10.0.0.1:53')).toBe(false);
});
