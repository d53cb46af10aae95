// What a check may say: options that go with its URL, actions that do one thing, dependencies without a circle.
import { expect, test } from 'vitest';
import { parseConfig } from './parse.ts';

const problems = (yaml: string) => {
  const result = parseConfig(yaml, { file: 'x.yaml', env: {} });
  return 'problems' in result ? result.problems.map(({ message }) => message) : [];
};
const checks = (text: string) =>
  problems(`services: { api: { command: [x] } }\nchecks:\n  c: ${text}\n  d: { url: "tcp://h:1" }`);

test.each([
  '{ url: "tcp://h:1", send: PING, expect: /P.NG/ }',
  '{ url: "udp://h:53", send: "hex:00ff" }',
  '{ url: "https://h/", method: POST, headers: { X-Key: a }, status: "200-299,401", redirects: 2, minDays: 7, ca: x }',
  '{ url: "grpcs://h:1/my.Api", insecure: true }',
  '{ url: "tls://h", minDays: 30, initial: up }',
  '{ url: "exec:./check.sh \'two words\'", dependsOn: [d], flap: 3/5m }',
  '{ url: "unix:/run/x.sock", onDown: [{ run: [a, b], timeout: 5s }, { webhook: "https://h/x", secret: s, retries: 0 }], repeat: 1h }',
  '{ url: "tcp://h:1", onDown: [{ restart: api, limit: 3/10m, grace: 1m }], onUp: [{ run: [x] }] }',
])('%s is right', (text) => {
  expect(checks(text)).toEqual([]);
});

test.each([
  ['{ url: "ftp://h/" }', /is not a URL to check: accepted are tcp/],
  ['{ url: "tcp://h:1", method: GET }', /method is for http:\/\/ and https:\/\/; this is tcp/],
  ['{ url: "http://h/", send: x }', /send is for tcp/],
  ['{ url: "http://h/", insecure: true }', /insecure is for https/],
  ['{ url: "http://h/", expect: "/(/" }', /no regular expression/],
  ['{ url: "http://h/", status: "2xx" }', /are no statuses/],
  ['{ url: "http://h/", headers: { "a b": c } }', /name of a header/],
  ['{ url: "tcp://h:1", dependsOn: [e] }', /no check is named 'e'/],
  ['{ url: "tcp://h:1", dependsOn: [c] }', /a circle: c → c/],
  ['{ url: "tcp://h:1", onDown: [{ timeout: 1s }] }', /one of run, webhook, restart and deregister/],
  ['{ url: "tcp://h:1", onDown: [{ run: [x], webhook: "https://h" }] }', /either run or webhook, not both/],
  ['{ url: "tcp://h:1", onDown: [{ run: [x], secret: s }] }', /secret is for webhook; this is run/],
  ['{ url: "tcp://h:1", onDown: [{ webhook: "ftp://h" }] }', /http:\/\/… or https:\/\/…/],
  ['{ url: "tcp://h:1", onDown: [{ restart: apj }] }', /did you mean 'api'/],
  ['{ url: "tcp://h:1", repeat: 1h }', /repeat is for onDown/],
  ['{ url: "tcp://h:1", onDown: [{ deregister: nobody }] }', /nobody/],
])('%s is wrong', (text, message) => {
  expect(checks(text)).toEqual([expect.stringMatching(message)]);
});

test('the check of a service', () => {
  const service = (check: string) => problems(`services: { api: { command: [x], check: ${check} } }`);
  expect(service('{ grpc: true }')).toEqual([]);
  expect(service('{ exec: [./check.sh], onDown: [{ run: [x] }] }')).toEqual([]);
  expect(service('{ http: /, exec: [x] }')).toEqual([expect.stringMatching(/either http or exec/)]);
  expect(service('{ initial: up }')).toEqual([expect.stringMatching(/initial is for checks and targets/)]);
  expect(service('{ onDown: [{ restart: api }] }')).toEqual([
    expect.stringMatching(/restarted when its own check fails/),
  ]);
});
