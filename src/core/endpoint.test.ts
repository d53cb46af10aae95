// Endpoints: what is printed reads back, and what is no endpoint is refused with words.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress } from './address.ts';
import { formatEndpoint, formatHostPort, parseEndpoint, parsePort, splitProtocol } from './endpoint.ts';
import { ReeveError } from './errors.ts';

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const hostName = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const zoned = fc.constantFrom('fe80::1%eth0', 'fe80::2%12');
const host = fc.oneof(hostName, fc.ipV4(), fc.ipV6().map(canonicalAddress), zoned);
const endpoint = fc.record({
  protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  host,
  port: fc.integer({ min: 1, max: 65535 }),
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ReeveError) return `${error.message} | ${error.hint}`;
    throw error;
  }
  return 'no error';
}

describe('parseEndpoint', () => {
  it('reads back what formatEndpoint prints', () => {
    fc.assert(
      fc.property(endpoint, (value) => {
        expect(parseEndpoint(formatEndpoint(value))).toEqual(value);
      }),
    );
  });

  it('takes host:port for tcp', () => {
    fc.assert(
      fc.property(endpoint, ({ host, port }) => {
        expect(parseEndpoint(formatHostPort(host, port))).toEqual({ protocol: 'tcp', host, port });
      }),
    );
  });

  it('gives an endpoint or a ReeveError for any text, never anything else', () => {
    const nasty = fc.array(
      fc.constantFrom('[', ']', ':', '::', '1', 'a', '%', '/', '@', ' ', '\0', '*', 'tcp:', '.', '-'),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          nasty.map((parts) => parts.join('')),
        ),
        (text) => {
          const told = messageOf(() => {
            const { host, port } = parseEndpoint(text, { host: '127.0.0.1', leastPort: 0 });
            expect(host).toMatch(/^[^\s/@[\]]+$/);
            expect(port).toBeGreaterThanOrEqual(0);
            expect(port).toBeLessThanOrEqual(65535);
          });
          expect(told).not.toBe('');
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['udp:53', { host: '::1' }, { protocol: 'udp', host: '::1', port: 53 }],
    [':8080', { host: '::' }, { protocol: 'tcp', host: '::', port: 8080 }],
    ['*:80', {}, { protocol: 'tcp', host: '0.0.0.0', port: 80 }],
    ['[0:0::1]:80', {}, { protocol: 'tcp', host: '::1', port: 80 }],
    ['TCP://localhost:0', { leastPort: 0 }, { protocol: 'tcp', host: 'localhost', port: 0 }],
    ['bücher.example:80', {}, { protocol: 'tcp', host: 'bücher.example', port: 80 }],
  ])('%s', (text, options, expected) => {
    expect(parseEndpoint(text, options)).toEqual(expected);
  });

  it.each([
    ['8080', /names no host/],
    ['localhost', /names no port/],
    ['localhost:0', /'0' is not a port.*from 1 to 65535/],
    ['localhost:65536', /not a port/],
    ['localhost:8o', /not a port/],
    ['localhost:', /not a port/],
    ['[10.0.0.1]:80', /only an IPv6 address goes in brackets/],
    ['::1:8080', /needs brackets.*\[::1\]:8080/],
    ['::1', /needs brackets.*\[::1\]:8080/],
    ['[fe80::7]', /needs brackets and a port.*\[fe80::7\]:8080/],
    ['http://x:80', /protocol is tcp or udp/],
    ['10.1:80', /not a host name or an address/],
    ['10.0.0.256:80', /not a host name or an address/],
    ['a b:80', /not a host name/],
    ['user@host:80', /not a host name/],
    ['-x:80', /not a host name/],
    [`${'a'.repeat(254)}:80`, /not a host name/],
  ])('refuses %s', (text, message) => {
    expect(messageOf(() => parseEndpoint(text))).toMatch(message);
  });
});

describe('parsePort', () => {
  it('takes every port and no other number', () => {
    fc.assert(
      fc.property(fc.integer({ min: -70_000, max: 70_000 }), (port) => {
        const isPort = port >= 1 && port <= 65535;
        expect(messageOf(() => expect(parsePort(String(port))).toBe(port)) === 'no error').toBe(isPort);
      }),
    );
  });
  it.each(['', ' 80', '8e3', '0x50', '+80', '80.0', '٨٠'])("refuses '%s'", (text) => {
    expect(() => parsePort(text)).toThrow(ReeveError);
  });
});

describe('splitProtocol', () => {
  it('leaves a text without a protocol as it is', () => {
    expect(splitProtocol('localhost:80')).toEqual({ protocol: 'tcp', rest: 'localhost:80' });
    expect(splitProtocol('53', 'udp')).toEqual({ protocol: 'udp', rest: '53' });
  });
});
