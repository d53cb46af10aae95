// Rules of dependsOn, told with line and column.
import { expect, it } from 'vitest';
import { parseConfig } from './parse.ts';

function read(...lines: string[]) {
  return parseConfig(lines.join('\n'), { file: 'r.yaml', env: {} });
}

function problemsOf(...lines: string[]): string[] {
  const result = read(...lines);
  return 'problems' in result
    ? result.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`)
    : [];
}

it('takes a list as healthy, and a map as it stands', () => {
  const result = read(
    'services:',
    '  a: { command: [a], dependsOn: [b] }',
    '  b: { command: [b], dependsOn: { c: finished, d: started } }',
    '  c: { command: [c], oneshot: true, ports: {} }',
    '  d: { command: [d] }',
  );
  expect('config' in result && result.config.services).toMatchObject({
    a: { dependsOn: { b: 'healthy' } },
    b: { dependsOn: { c: 'finished', d: 'started' } },
    c: { dependsOn: {}, oneshot: true, ports: {} },
  });
});

it.each([
  [
    'an unknown service',
    ['  a: { command: [a], dependsOn: [bb] }', '  b: { command: [b] }'],
    ["2:34: no service is named 'bb': did you mean 'b'?"],
  ],
  [
    'itself',
    ['  a: { command: [a], dependsOn: [a] }'],
    ['2:34: a circle: a → a: none of them could ever start'],
  ],
  [
    'a circle of three',
    [
      '  a: { command: [a], dependsOn: [b] }',
      '  b: { command: [b], dependsOn: { c: started } }',
      '  c: { command: [c], dependsOn: [a] }',
    ],
    ['4:34: a circle: a → b → c → a: none of them could ever start'],
  ],
  [
    'what never finishes',
    ['  a: { command: [a], dependsOn: { b: finished } }', '  b: { command: [b] }'],
    ["2:38: 'b' never finishes: only a service with oneshot: true does"],
  ],
  [
    'the health of a oneshot',
    ['  a: { command: [a], dependsOn: [b] }', '  b: { command: [b], oneshot: true }'],
    ["2:34: 'b' is a oneshot and has no health: write b: finished"],
  ],
  [
    'an unknown condition',
    ['  a: { command: [a], dependsOn: { b: ready } }', '  b: { command: [b] }'],
    [expect.stringMatching(/^2:/)],
  ],
])('%s is a mistake', (_, services, messages) => {
  expect(problemsOf('services:', ...services)).toEqual(messages);
});

it('a thousand services in one chain are read', () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `  s${i}: { command: [a], dependsOn: [s${i + 1}] }`);
  expect(problemsOf('services:', ...lines, '  s1000: { command: [a] }')).toEqual([]);
});

it('a oneshot has no check, and no listener sends to it', () => {
  expect(
    problemsOf(
      'services:',
      '  a: { command: [a], oneshot: true, check: { tcp: true } }',
      'listeners:',
      '  web: { bind: ["127.0.0.1:80"], balance: { service: a } }',
    ),
  ).toEqual([
    expect.stringContaining('a oneshot is not checked'),
    expect.stringContaining("service 'a' is a oneshot"),
  ]);
});
