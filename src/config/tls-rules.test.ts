// What `tls` and `proxyProtocol` may not say together, each with its place.
import { expect, it } from 'vitest';
import { parseConfig } from './parse.ts';

const problems = (listener: string, rest = '') => {
  const text = `listeners:\n  web: { bind: ["[::]:1"], ${listener} }\n${rest}`;
  const result = parseConfig(text, { file: 'r.yaml', env: {} });
  return 'problems' in result ? result.problems.map(({ path, message }) => `${path}: ${message}`) : [];
};
const balance = 'balance: { targets: ["a:1"] }';
const sinks = 'sinks: { s: { stdout: true } }';

it.each([
  ['tls: { cert: a }', 'tls.cert: cert needs key beside it'],
  ['tls: {}', 'tls: tls needs cert and key, or mode: passthrough'],
  [
    'tls: { cert: a, key: b, clientAuth: require }',
    'tls.clientAuth: require needs clientCa: the authorities that may have signed them',
  ],
  [
    'tls: { cert: a, key: b, clientCa: c, clientAuth: none }',
    'tls.clientCa: clientCa is for clientAuth: request or require',
  ],
  ['tls: { mode: passthrough, alpn: [h2] }', 'tls.mode: TLS that is passed through has no use for alpn'],
  [
    'tls: { mode: passthrough, sni: { a.b: { service: nobody } } }',
    'tls.sni."a.b".service: no service is named \'nobody\': there are no services',
  ],
  ['tls: { cert: a, key: b, sni: { a.b: { port: http } } }', 'tls.sni."a.b".port: port is for a service'],
  [
    'proxyProtocol: { accept: true }',
    'proxyProtocol.accept: accept needs from: the addresses of the proxies that may say who the client is',
  ],
  ['proxyProtocol: { from: [127.0.0.1] }', 'proxyProtocol.from: from is for accept, which is false'],
])('%s', (section, problem) => {
  expect(problems(`${balance}, ${section}`)).toEqual([`listeners.web.${problem}`]);
});

it('a sink has no targets to tell or to route to', () => {
  expect(problems('sink: s, proxyProtocol: { send: v1 }', sinks)).toEqual([
    'listeners.web.proxyProtocol.send: send is for targets: this listener has a sink',
  ]);
  expect(problems('sink: s, tls: { mode: passthrough }', sinks)).toEqual([
    'listeners.web.tls.mode: passthrough is for balance: a sink needs what is inside',
  ]);
});

it('the native engine cannot be forced on what it does not do', () => {
  const native = 'relay: { engine: native }';
  for (const section of ['tls: { cert: a, key: b }', 'proxyProtocol: { accept: v1, from: [::1] }']) {
    expect(problems(`${balance}, ${section}`, native)[0]).toMatch(
      /by the portable engine only, and relay.engine is native/,
    );
  }
  expect(problems('balance: { targets: ["a:1"], tls: {} }', native)).toHaveLength(1);
});

it('takes a version as a number or as text', () => {
  for (const version of ['1.2', '1.3', '"1.3"']) {
    expect(problems(`${balance}, tls: { cert: a, key: b, minVersion: ${version} }`)).toEqual([]);
  }
  expect(problems(`${balance}, tls: { cert: a, key: b, minVersion: 1.1 }`)[0]).toContain('1.2 or 1.3');
});
