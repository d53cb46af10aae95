// Reading a configuration: every problem at once, each with its exact place and what was expected.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the file's own syntax
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from './parse.ts';
import { formatProblems } from './problems.ts';
import type { Config } from './schema.ts';

function problemsOf(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  const result = parseConfig(text, { file: 'r.yaml', env });
  return 'problems' in result ? formatProblems(result.problems).split('\n') : [];
}

function configOf(text: string, env: NodeJS.ProcessEnv = {}): Config {
  expect(problemsOf(text, env)).toEqual([]);
  return (parseConfig(text, { file: 'r.yaml', env }) as { config: Config }).config;
}

/** The lines of a file, so that their numbers can be counted here: the first is line 1. */
const file = (...lines: string[]) => lines.join('\n');

describe('a file with many mistakes', () => {
  it('gives each with its place, in the order of the file', () => {
    const text = file(
      'control: { listen: 7070, tokn: x }',
      'ports: { range: 30000-20000, exclude: [0, a] }',
      'services:',
      '  a b: { command: [x] }',
      '  api:',
      '    comand: [node]',
      '    instances: ${N}',
      '    ports: { http: 80, grpc: 70000, x: no }',
      '    restart: { backoff: 5s }',
      '  two:',
      '    command: "node x"',
      '    ports: { http: 80 }',
      '    env: { A: "${B}", PORT: 8080 }',
      '    check: { port: grcp, http: healthz, interval: 0s }',
      'listeners:',
      '  web:',
      '    bind: "x"',
      '    balance: { service: apy, targets: [5, "a:b", { address: "x:1", wieght: 2 }] }',
      '    tls: {}',
      '    conflict: { policy: evikt }',
      '  w2:',
      '    bind: ["127.0.0.1:7171", "udp:53", "udp://0.0.0.0:53"]',
      '    sink: constructor',
      '    v6only: ja',
      '    sink: b',
      'sinks:',
      '  none: {}',
      'checks:',
      '  db: { url: "tcp://db" }',
    );
    expect(problemsOf(text, { N: '3x' })).toEqual([
      'r.yaml:1:20: control.listen: expected host:port such as 127.0.0.1:7070, got number 7070',
      "r.yaml:1:26: control.tokn: unknown key 'tokn': known here: listen, tokenFile",
      "r.yaml:2:17: ports.range: '30000-20000' is not a port range: it ends before it starts",
      'r.yaml:2:40: ports.exclude[0]: expected at least 1, got number 0',
      "r.yaml:2:43: ports.exclude[1]: expected a whole number from 1 to 65535, got text 'a'",
      'r.yaml:4:3: services."a b": a name starts with a letter and holds letters, digits, - and _ (at most 63)',
      'r.yaml:5:3: services.api.command: is missing: expected a list',
      "r.yaml:6:5: services.api.comand: unknown key 'comand': did you mean 'command'?",
      "r.yaml:7:16: services.api.instances: expected a whole number from 0 to 256, got text '3x'",
      'r.yaml:8:30: services.api.ports.grpc: expected at most 65535, got number 70000',
      "r.yaml:8:40: services.api.ports.x: expected auto or a port, got text 'no'",
      "r.yaml:9:25: services.api.restart.backoff: '5s' is not a range of durations: write 500ms..60s",
      "r.yaml:11:14: services.two.command: expected a list, got text 'node x'",
      "r.yaml:12:20: services.two.ports.http: port 80 is taken by service 'api' already",
      'r.yaml:13:15: services.two.env.A: the environment variable B is not set: set it, or give a default with ${B:-…}',
      'r.yaml:13:29: services.two.env.PORT: expected text, got number 8080: put it in quotes',
      "r.yaml:14:20: services.two.check.port: no port is named 'grcp': this service has http",
      'r.yaml:14:32: services.two.check.http: a path starts with /',
      "r.yaml:14:51: services.two.check.interval: '0s' is too short: from 10ms to 24d are accepted",
      "r.yaml:17:11: listeners.web.bind: expected a list, got text 'x'",
      'r.yaml:18:5: listeners.web.balance: balance needs either a service or targets',
      "r.yaml:18:25: listeners.web.balance.service: no service is named 'apy': did you mean 'api'?",
      'r.yaml:18:40: listeners.web.balance.targets[0]: expected host:port, or a map with an address, got number 5',
      "r.yaml:18:43: listeners.web.balance.targets[1]: 'b' is not a port: a port is a whole number from 1 to 65535",
      "r.yaml:18:68: listeners.web.balance.targets[2].wieght: unknown key 'wieght': did you mean 'weight'?",
      'r.yaml:19:5: listeners.web.tls: tls needs cert and key, or mode: passthrough',
      "r.yaml:20:25: listeners.web.conflict.policy: expected one of fail, retry, next, evict, got text 'evikt': did you mean evict?",
      "r.yaml:22:30: listeners.w2.bind[1]: 'udp:53' names no host: write host:port, such as 127.0.0.1:8080",
      'r.yaml:22:30: listeners.w2.bind[1]: a listener has one protocol, TCP or UDP: give this address to a listener of its own',
      "r.yaml:23:11: listeners.w2.sink: no sink is named 'constructor': sinks are none",
      "r.yaml:24:13: listeners.w2.v6only: expected true or false, got text 'ja'",
      "r.yaml:25:5: listeners.w2.sink: the key 'sink' is here twice",
      'r.yaml:27:3: sinks.none: a sink is either a file, stdout: true or nats',
      "r.yaml:29:14: checks.db.url: 'tcp://db' names no port: write host:port, such as 127.0.0.1:8080",
    ]);
  });

  it('tells fifty problems, and how many more there are', () => {
    const text = `checks: {${Array.from({ length: 80 }, (_, i) => `c${i}: {}`).join(', ')}}`;
    const problems = problemsOf(text);
    expect(problems).toHaveLength(51);
    expect(problems[0]).toBe(
      'r.yaml:1:10: checks.c0.url: is missing: expected a URL such as tcp://127.0.0.1:5432',
    );
    expect(problems[50]).toBe('… and 30 more');
  });
});

describe('the text itself', () => {
  it('gives errors of syntax and of meaning together', () => {
    expect(problemsOf(file('relay: { engine: warp }', 'state: [a', 'sinks: { a: {} }'))).toEqual([
      expect.stringMatching(/^r\.yaml:1:18: relay\.engine: .*auto.*portable.*native/),
      expect.stringMatching(/^r\.yaml:[23]:\d+: /),
      ...problemsOf(file('', 'state: [a', 'sinks: { a: {} }')).slice(1),
    ]);
  });

  it.each([
    ['a tab as indentation', 'ports:\n\trange: 1-2', 'r.yaml:2:1: Tabs are not allowed as indentation'],
    [
      'a second document',
      'state: a\n---\nstate: b',
      'r.yaml:2:1: a configuration is one document, and a second one starts here',
    ],
    ['a tag', 'state: !!binary aGk=', 'r.yaml:1:8: Unresolved tag: tag:yaml.org,2002:binary'],
    ['a key twice', 'state: a\nstate: b', "r.yaml:2:1: state: the key 'state' is here twice"],
    [
      'a merge key',
      'x: &x {}\nports: { <<: *x }',
      `r.yaml:2:10: ports."<<": unknown key '<<': known here: range, exclude, leases`,
    ],
    [
      '__proto__',
      'sinks: { __proto__: { stdout: true } }',
      "r.yaml:1:10: sinks: '__proto__' cannot be a key",
    ],
    ['a list as a key', '? [a]\n: b', 'r.yaml:1:3: a key is plain text, not a list, a map or an alias'],
    [
      'a NUL byte',
      'state: a\0b',
      'r.yaml:1:9: the control character U+0000 does not belong here: is this file UTF-8 text?',
    ],
    [
      'an escaped NUL',
      'state: "a\\0b"',
      'r.yaml:1:8: state: text with a NUL byte goes nowhere: no system call takes it',
    ],
    ['an alias of nothing', 'state: *x', 'r.yaml:1:8: state: no anchor &x stands before this alias'],
    [
      'an alias inside its anchor',
      'sinks: &s { a: *s }',
      'r.yaml:1:16: sinks.a: no anchor &s stands before this alias',
    ],
    ['a list', '- a', 'r.yaml:1:1: expected a map, got a list'],
    ['an empty section', 'sinks:', 'r.yaml:1:1: sinks: expected a map, got nothing'],
  ])('refuses %s', (_, text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  it.each([
    ['nothing', ''],
    ['a comment', '# nothing yet\n'],
    ['a byte order mark', '\uFEFFstate: x'],
    ['Windows line ends', 'state: x\r\nports: { range: 1-2 }\r\n'],
    ['JSON with tabs', '{\n\t"state": "x",\n\t"ports": { "exclude": [1] }\n}'],
    ['anchors and aliases', 'sinks: { a: &s { stdout: true }, b: *s }'],
  ])('accepts %s', (_, text) => {
    configOf(text);
  });

  it('counts columns behind a byte order mark as an editor does', () => {
    expect(problemsOf('\uFEFFstat: x')[0]).toMatch(
      /^r\.yaml:1:1: stat: unknown key 'stat': did you mean 'state'\?/,
    );
  });

  it('never prints what would steer a terminal', () => {
    const all = problemsOf(
      '"\\e[2J\\nx": 1\nrelay: { engine: "\\e[31m" }\nports: { range: "\\u202e1" }',
    ).join('');
    expect(all).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('hostile files', () => {
  const laughs = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`);
  it.each([
    ['nested flow', '['.repeat(100_000), /nested more than 40 deep/],
    ['nested blocks', '- '.repeat(50_000), /nested more than 40 deep/],
    [
      'a billion laughs',
      file('a0: &a0 [x]', ...laughs),
      /aliases of this file repeat more than 100000 values/,
    ],
    ['a line of a megabyte', `state: [${'x'.repeat(1_000_000)}]`, /state: expected text, got a list/],
    ['a key of a megabyte', `"${'x'.repeat(1_000_000)}": 1`, /at most 1024 chars/],
    [
      'fifty thousand keys',
      `{${Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join(', ')}}`,
      /unknown key 'k0'/,
    ],
    ['too much', `state: ${'x'.repeat(3_000_000)}`, /longer than 2097152 bytes/],
  ])('%s', (_, text, problem) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeLessThanOrEqual(51);
    expect(problems.join('\n')).toMatch(problem);
    for (const line of problems) expect(line.length).toBeLessThan(700);
  });

  it('carries ten thousand checks', () => {
    const checks = Array.from({ length: 10_000 }, (_, i) => `  c${i}: { url: "tcp://127.0.0.1:${i + 1}" }`);
    expect(Object.keys(configOf(file('checks:', ...checks)).checks)).toHaveLength(10_000);
  });
});

describe('the documents', () => {
  const examplesIn = (page: string) =>
    [
      ...readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8').matchAll(
        /```yaml\n([\s\S]*?)```/g,
      ),
    ].map(([, text]) => text!);
  it.each(examplesIn('configuration.md').map((text, i) => [i, text]))(
    'example %i of the reference is accepted',
    (_, text) => {
      configOf(String(text));
    },
  );
  it('has an example for every section', () => {
    expect(examplesIn('configuration.md').length).toBeGreaterThanOrEqual(11);
  });
});
