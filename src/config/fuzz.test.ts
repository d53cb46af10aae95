// Any text at all: reading it never throws, and every problem lies inside the text.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the file's own syntax
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from './parse.ts';

const valid = [
  'control: { listen: "127.0.0.1:7070" }',
  'ports: { range: 20000-32000, exclude: [27017] }',
  'services:',
  '  api: &api',
  '    command: [node, "{port}"]',
  '    env: { A: "$' + '{HOME:-x}" }',
  '    check: { http: /, interval: 5s }',
  '  other: *api',
  'listeners:',
  '  web:',
  '    bind: ["[::]:8080"]',
  '    balance: { targets: ["a:1", { address: "b:2", weight: 2 }] }',
  '',
].join('\n');

function expectSane(text: string): void {
  const result = parseConfig(text, { file: 'f', env: { HOME: '/root' } });
  if ('config' in result) return;
  expect(result.problems.length).toBeGreaterThan(0);
  const lines = text.split('\n');
  for (const { line, column, message } of result.problems) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
    expect(message).not.toMatch(/undefined|\[object|Invalid input|^$/);
  }
}

describe('parseConfig', () => {
  it('takes the file that is mutilated below', () => {
    expect(parseConfig(valid, { file: 'f', env: {} })).toHaveProperty('config');
  });

  it('survives any text', () => {
    const yamlish = fc.string({
      unit: fc.constantFrom(
        ...[
          'a',
          'services',
          'listeners',
          'sinks',
          'checks',
          ': ',
          ':',
          '\n',
          '  ',
          '- ',
          '[',
          ']',
          '{',
          '}',
          ',',
        ],
        ...[
          '"',
          "'",
          '&a',
          '*a',
          '!t',
          '|',
          '>',
          '#',
          '$',
          '${',
          '%',
          '@',
          '`',
          '\t',
          '\r',
          '? ',
          '---',
          '<<',
          '~',
          '1',
          '…',
        ],
      ),
      maxLength: 60,
    });
    fc.assert(fc.property(fc.oneof(yamlish, fc.string({ unit: 'binary' })), expectSane), { numRuns: 2000 });
  });

  it('survives a good file in which anything is cut out or put in', () => {
    const junk = fc.constantFrom(
      '',
      ' ',
      '\n',
      '[',
      '}',
      ':',
      '- ',
      '"',
      '&x',
      '*x',
      '*api',
      '!',
      'null',
      '5',
      '{}',
      '[]',
      '\t',
    );
    fc.assert(
      fc.property(fc.nat(valid.length), fc.nat(12), junk, (at, cut, put) => {
        expectSane(valid.slice(0, at) + put + valid.slice(at + cut));
      }),
      { numRuns: 2000 },
    );
  });
});
