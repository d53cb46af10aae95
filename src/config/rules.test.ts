// Rules between values: each is told with the path of the value to correct, whatever else is wrong.
import { describe, expect, it } from 'vitest';
import { parseConfig } from './parse.ts';
import { checkRules } from './rules.ts';

function problemsOf(...lines: string[]): string[] {
  const result = parseConfig(lines.join('\n'), { file: 'r.yaml', env: {} });
  return 'problems' in result ? result.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

const listener = (name: string, bind: string, more = '') => `  ${name}: { bind: ${bind}, sink: s${more} }`;
const sinks = 'sinks: { s: { stdout: true } }';

describe('addresses wanted twice', () => {
  it.each([
    ['the same address', '["127.0.0.1:80"]', "127.0.0.1:80 is taken by listener 'a' already"],
    [
      'the same name in capitals',
      '["LOCALHOST:81"]',
      "LOCALHOST:81 overlaps with localhost:81 of listener 'a'",
    ],
    ['a wildcard', '["0.0.0.0:80"]', "0.0.0.0:80 overlaps with 127.0.0.1:80 of listener 'a'"],
    [
      '[::]',
      '["[::]:80"]',
      "[::]:80 overlaps with 127.0.0.1:80 of listener 'a': [::] takes IPv4 as well, unless v6only is true",
    ],
  ])('%s', (_, bind, message) => {
    const text = [
      'listeners:',
      listener('a', '["127.0.0.1:80", "localhost:81"]'),
      listener('b', bind),
      sinks,
    ];
    expect(problemsOf(...text)).toEqual([`listeners.b.bind[0]: ${message}`]);
  });

  it('inside one listener', () => {
    expect(problemsOf('listeners:', listener('a', '["0.0.0.0:80", "[::]:80"]'), sinks)).toEqual([
      "listeners.a.bind[1]: [::]:80 overlaps with 0.0.0.0:80 of listener 'a': [::] takes IPv4 as well, unless v6only is true",
    ]);
  });

  it('not where they go together', () => {
    const binds = '["0.0.0.0:80", "[::]:80", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:81", "127.0.0.2:81"]';
    expect(problemsOf('listeners:', listener('a', binds, ', v6only: true'), sinks)).toEqual([]);
  });

  it('with the control API, also where that has its default', () => {
    const a = listener('a', '["0.0.0.0:7070"]');
    expect(problemsOf('listeners:', a, sinks)).toEqual([
      'listeners.a.bind[0]: 0.0.0.0:7070 overlaps with 127.0.0.1:7070 of the control API',
    ]);
    expect(problemsOf('control: { listen: "127.0.0.1:7071" }', 'listeners:', a, sinks)).toEqual([]);
    expect(
      problemsOf('control: { listen: "[::1]:9" }', 'listeners:', listener('a', '["[::1]:9"]'), sinks),
    ).toEqual(['listeners.a.bind[0]: [::1]:9 is taken by the control API already']);
  });

  it('by services with a fixed port, which may lie in the range of the pool', () => {
    const service = (name: string, port: number) => `  ${name}: { command: [x], ports: { http: ${port} } }`;
    expect(problemsOf('services:', service('a', 25_000), service('b', 25_001))).toEqual([]);
    expect(problemsOf('services:', service('a', 25_000), service('b', 25_000))).toEqual([
      "services.b.ports.http: port 25000 is taken by service 'a' already",
    ]);
  });
});

describe('services', () => {
  it.each([
    [
      'instances: 2, ports: { http: 80 }',
      'services.a.ports.http: 2 instances cannot share port 80: write auto, or one instance',
    ],
    ['ports: {}', 'services.a.ports: a service needs at least one port, unless it is a oneshot'],
    ['ports: { a-b: auto, a_b: auto }', "services.a.ports.a_b: 'a-b' is PORT_A_B as well: rename one"],
    ['check: { port: grpc }', "services.a.check.port: no port is named 'grpc': this service has http"],
    ['check: { http: /, tcp: true }', 'services.a.check.tcp: a check is either http or tcp, not both'],
  ])('%s', (more, problem) => {
    expect(problemsOf(`services: { a: { command: [x], ${more} } }`)).toEqual([problem]);
  });
});

describe('listeners', () => {
  const with_ = (more: string) =>
    problemsOf(
      'services: { api: { command: [x] } }',
      `listeners: { a: { bind: ["[::1]:1"], ${more} } }`,
      sinks,
    );
  it.each([
    ['v6only: true', 'listeners.a: a listener needs balance, sink or handler'],
    [
      'sink: s, balance: { service: api }',
      'listeners.a.sink: a listener has one of balance, sink and handler',
    ],
    ['sink: t', "listeners.a.sink: no sink is named 't': did you mean 's'?"],
    ['balance: { service: web }', "listeners.a.balance.service: no service is named 'web': services are api"],
    [
      'balance: { service: api, port: grpc }',
      "listeners.a.balance.port: service 'api' has no port 'grpc': it has http",
    ],
    ['balance: {}', 'listeners.a.balance: balance needs either a service or targets'],
    [
      'balance: { targets: ["a:1"], port: http }',
      'listeners.a.balance.port: port is for a service: targets name their own',
    ],
    [
      'balance: { service: api, check: {} }',
      'listeners.a.balance.check: check is for targets: a service has its own',
    ],
    [
      'balance: { service: api }, frame: raw',
      'listeners.a.frame: frame is for a listener with a sink or a handler: balanced connections are passed on as they are',
    ],
    [
      'sink: s, conflict: { policy: evict }',
      'listeners.a.conflict.policy: evict ends only processes that are named in allowEvict, and none is',
    ],
  ])('%s', (more, problem) => {
    expect(with_(more)).toEqual([problem]);
  });

  it.each([
    'sink: s',
    'balance: { service: api, port: http }',
    'balance: { targets: ["a:1"], check: { http: / } }',
  ])('accepts %s', (more) => {
    expect(with_(more)).toEqual([]);
  });

  it('apply while other values are wrong', () => {
    expect(problemsOf('listeners: { a: { bind: 5, backlog: x, sink: t } }', 'sinks: []')).toContain(
      "listeners.a.sink: no sink is named 't': there are no sinks",
    );
  });
});

it('is at peace with values of any kind', () => {
  const odd = [
    null,
    5,
    'x',
    [],
    [[]],
    {},
    { a: null },
    { a: [] },
    { a: { bind: [5, null, {}], balance: 5, check: 'x' } },
  ];
  for (const services of odd) {
    for (const listeners of odd)
      checkRules({ control: services, services, listeners, sinks: listeners, checks: null });
  }
  for (const root of odd) checkRules(root);
});

describe('the registry', () => {
  const consul = 'registry: { consul: {} }';
  const web = (balance: string) => `listeners: { web: { bind: ["[::]:1"], balance: ${balance} } }`;
  it.each([
    ['a service that only Consul may know', [consul, web('{ service: x, tags: [v1], port: grpc }')], []],
    ['one of the registry by name', [web('{ service: x, from: registry }')], []],
    [
      'one that nobody can know',
      [web('{ service: x }')],
      ["listeners.web.balance.service: no service is named 'x': there are no services"],
    ],
    [
      'one of this file that is not there',
      [consul, web('{ service: x, from: file }')],
      ["listeners.web.balance.service: no service is named 'x': there are no services"],
    ],
    [
      'tags of a service of this file',
      ['services: { a: { command: [x] } }', web('{ service: a, tags: [v1] }')],
      ['listeners.web.balance.tags: tags is for a service of the registry'],
    ],
    [
      'leases in a registry that has none',
      ['ports: { leases: registry }'],
      ['ports.leases: leases are kept in the registry only where it is Consul'],
    ],
    [
      'a certificate without its key, and two tokens',
      ['registry: { consul: { cert: a, token: b, tokenFile: c } }'],
      [
        'registry.consul.cert: cert and key go together',
        'registry.consul.tokenFile: token or tokenFile, not both',
      ],
    ],
    [
      'a registration of what nobody answers on',
      [
        'services: { a: { command: [x], oneshot: true, register: {} }, b: { command: [x], register: { port: no } } }',
      ],
      [
        'services.a.register: a oneshot is not announced: nobody answers',
        "services.b.register.port: no port is named 'no': this service has http",
      ],
    ],
    [
      'values that Consul would refuse',
      ['registry: { consul: { address: "ftp://x", deregisterCriticalAfter: 1m } }'],
      [
        'registry.consul.address: an address of Consul is such as http://127.0.0.1:8500',
        "registry.consul.deregisterCriticalAfter: '1m' is too short: from 600000ms to 24d are accepted",
      ],
    ],
  ])('%s', (_, lines, problems) => {
    expect(problemsOf(...lines)).toEqual(problems);
  });
});
