// `${NAME}`: what is put in stays one text, and becomes a number only where text is refused.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the file's own syntax
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from './parse.ts';
import { substitute } from './substitute.ts';

const dollar = '$';
const of = (name: string) => `${dollar}{${name}}`;

function read(text: string, env: NodeJS.ProcessEnv) {
  const result = parseConfig(text, { file: 'r.yaml', env });
  return 'config' in result
    ? result.config
    : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('substitute', () => {
  const plainText = fc.string().filter((text) => !text.includes('$'));

  it('leaves text without a dollar alone', () => {
    fc.assert(
      fc.property(plainText, (text) => {
        expect(substitute(text, {})).toEqual({ text, whole: false, problems: [] });
      }),
    );
  });

  it('puts any value in as it is, once: a value is not read again', () => {
    fc.assert(
      fc.property(plainText, fc.string(), plainText, (before, value, after) => {
        const { text, whole } = substitute(`${before}${of('X')}${after}`, { X: value });
        expect(text).toBe(before + value + after);
        expect(whole).toBe(before === '' && after === '');
      }),
    );
  });

  it('gives back any text that was escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-') }), (text) => {
        const escaped = text.split(`${dollar}{`).join(`${dollar}${dollar}{`);
        expect(substitute(escaped, { A: 'never' })).toMatchObject({ text, problems: [] });
      }),
    );
  });

  it.each([
    [of('A:-b'), {}, 'b'],
    [of('A:-b'), { A: '' }, 'b'],
    [of('A:-b'), { A: 'a' }, 'a'],
    [of('A:-'), {}, ''],
    [of('A'), { A: '' }, ''],
    [`${of('A')}/${of('B')}`, { A: '1', B: of('A') }, `1/${of('A')}`],
    ['$5 and $HOME', { HOME: 'x' }, '$5 and $HOME'],
  ])('%s', (text, env, result) => {
    expect(substitute(text, env)).toMatchObject({ text: result, problems: [] });
  });

  it.each([
    [of('A'), /variable A is not set/],
    [of('toString'), /variable toString is not set/],
    [of(''), /is written/],
    [of('1A'), /is written/],
    [of('A-b'), /is written/],
    [`${dollar}{A`, /is written/],
  ])('has a problem with %s', (text, problem) => {
    expect(substitute(text, {}).problems).toEqual([expect.stringMatching(problem)]);
  });
});

describe('a configuration with substitutions', () => {
  it('never gets more structure from a value than one text', () => {
    const structural = fc.string({
      unit: fc.constantFrom('a', ':', ' ', '\n', '-', '[', ']', '{', '}', '"', "'", '&', '*', '#', '!', ','),
    });
    fc.assert(
      fc.property(fc.oneof(structural, fc.string()), (value) => {
        fc.pre(value !== '' && !value.includes('\0'));
        expect(read(`state: ${of('X')}`, { X: value })).toMatchObject({
          state: value,
          services: {},
          listeners: {},
        });
      }),
    );
  });

  it('is a number or a boolean where the schema wants one, and text where it wants text', () => {
    const text = [
      'services:',
      '  a:',
      '    command: [x]',
      `    instances: ${of('N')}`,
      `    ports: { http: "${of('P:-8080')}" }`,
      `    env: { N: "${of('N')}", T: "${of('T')}" }`,
      `    check: { tcp: "${of('T')}" }`,
    ].join('\n');
    expect(read(text, { N: '1', T: 'true' })).toMatchObject({
      services: {
        a: { instances: 1, ports: { http: 8080 }, env: { N: '1', T: 'true' }, check: { tcp: true } },
      },
    });
  });

  it('applies the rules between values to numbers that were put in', () => {
    const text = `services: { a: { command: [x], instances: "${of('N')}", ports: { http: 8080 } } }`;
    expect(read(text, { N: '2' })).toEqual([
      'services.a.ports.http: 2 instances cannot share port 8080: write auto, or one instance',
    ]);
  });

  it('tells about every unset variable once, and about nothing that follows from it', () => {
    const text = `state: ${of('A')}\nservices: { a: { command: ["${of('B')}"], instances: "${of('C')}" } }`;
    expect(read(text, {})).toEqual([
      'state: the environment variable A is not set: set it, or give a default with ${A:-…}',
      'services.a.command[0]: the environment variable B is not set: set it, or give a default with ${B:-…}',
      'services.a.instances: the environment variable C is not set: set it, or give a default with ${C:-…}',
    ]);
  });

  it('says that quotes are needed inside braces', () => {
    expect(read(`ports: { range: ${of('R')} }`, { R: '1-2' })).toContain(
      ': inside { } and [ ] a substitution needs quotes',
    );
  });
});
