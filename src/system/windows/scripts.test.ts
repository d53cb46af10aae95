// Which commands are scripts of cmd.exe, and what may not be said to one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startable } from './scripts.ts';

const files = new Set([
  'C:\\node\\npm.cmd',
  'C:\\node\\node.exe',
  'D:\\shop\\dev.bat',
  'D:\\shop\\bin\\tool.cmd',
]);
const start = (program: string, ...args: string[]) =>
  startable(
    { program, args, cwd: 'D:\\shop', env: { Path: 'C:\\node;C:\\other', SYSTEMROOT: 'C:\\Win' } },
    (file) => files.has(file),
  );
const line = (text: string) => ['/d', '/v:off', '/s', '/c', text];

describe('startable()', () => {
  it('starts a script by cmd.exe, each word in quotes', () => {
    expect(start('npm', 'run', 'a b&c|d', 'e\\')).toMatchObject({
      program: 'C:\\Win\\System32\\cmd.exe',
      args: line(String.raw`""C:\node\npm.cmd" "run" "a b&c|d" "e\\""`),
      verbatim: true,
    });
    expect(start('dev.bat').args).toEqual(line('""D:\\shop\\dev.bat""'));
    expect(start('bin\\tool').args).toEqual(line('""D:\\shop\\bin\\tool.cmd""'));
    expect(start('.\\bin/tool.cmd').args).toEqual(line('""D:\\shop\\bin\\tool.cmd""'));
  });

  it.each(['node', 'node.exe', 'C:\\node\\node.exe', 'nobody', 'other\\npm'])(
    'leaves %s alone',
    (program) => {
      const command = start(program, 'a"b%c%');
      expect(command).toMatchObject({ program, args: ['a"b%c%'] });
      expect(command.verbatim).toBeUndefined();
    },
  );

  it.each(['"&calc&"', '%PATH%', 'a\nb', 'a\rb', 'a\0b'])('refuses %j', (bad) => {
    expect(() => start('npm', bad)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('never lets a word out of its quotes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('"', '%', '^', '&', '\\', '!', ' ', 'a') })),
        (words) => {
          let args: string[];
          try {
            ({ args } = start('npm', ...words));
          } catch {
            return;
          }
          expect(args.at(-1)).toMatch(/^"("[^"%]*")( "[^"%]*")*"$/);
        },
      ),
    );
  });
});
