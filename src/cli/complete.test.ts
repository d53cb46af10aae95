// What may follow: commands, options and their values at every place of the line.
import { expect, test } from 'vitest';
import { commands, hidden } from './commands/index.ts';
import { following } from './complete.ts';
import type { Io } from './io.ts';
import { buildProgram } from './program.ts';

const program = buildProgram({ out() {}, err() {}, colors: {}, env: {} } as unknown as Io, commands, hidden);
const after = (line: string) => following(program, line.split(' '));
const words = (line: string) => after(line).words.map(({ text }) => text);

test('commands first, and those of a command that has some', () => {
  expect(words('')).toEqual(expect.arrayContaining(['who', 'why', 'completion', 'help']));
  expect(words('')).not.toContain('__complete');
  expect(words('--json ')).toContain('who');
  expect(words('service ')).toEqual(expect.arrayContaining(['install', 'render', 'help']));
  expect(words('help ')).toContain('service');
  expect(words('help service ')).toContain('render');
  expect(words('nonsense ')).toEqual([]);
  expect(words('service restart ')).toEqual([]);
});

test('options of the command and of all commands', () => {
  expect(words('who --')).toEqual(expect.arrayContaining(['--all-states', '--json', '--help']));
  expect(words('who -')).not.toContain('--dry-run');
  expect(words('service install --')).toContain('--profile');
  expect(words('--')).toContain('--version');
});

test('values of options: fixed words, files, or nothing', () => {
  expect(words('scan --method ')).toEqual(['connect', 'syn', 'udp']);
  expect(words('why --lang ')).toEqual(['en', 'zh']);
  expect(words('--lang zh ')).toContain('why');
  expect(words('why --lang=')).toEqual(['--lang=en', '--lang=zh']);
  expect(after('up -c ')).toEqual({ words: [], ask: null, rest: 'files' });
  expect(after('up --config=')).toEqual({ words: [], ask: null, rest: 'files' });
  expect(after('free --timeout ')).toEqual({ words: [], ask: null, rest: 'nothing' });
  expect(after('free --timeout 1s ').ask).toBe('ports');
  expect(words('up --log-level ')).toContain('debug');
});

test('operands: what exists now, and another command line after --', () => {
  expect(after('who ').ask).toBe('sockets');
  expect(after('who 80 ').ask).toBe('sockets');
  expect(after('drain ').ask).toBe('targets');
  expect(after('dial ').ask).toBe('services');
  expect(words('completion ')).toContain('fish');
  expect(after('run web -- nod').rest).toBe('command');
  expect(after('service install --name x -- node ').rest).toBe('command');
});
