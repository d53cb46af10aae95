// Columns: aligned by what a terminal shows, and never wider than it.
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { createIo, type Host, type Io } from '../io.ts';
import { renderTable } from './table.ts';

async function lines(rows: string[][], columns: number | null): Promise<string[]> {
  const printed: string[] = [];
  const host = {
    stdout: { on() {} },
    stderr: { on() {} },
    stdin: {},
    env: {},
    on() {},
    off() {},
  } as unknown as Host;
  const io: Io = { ...createIo(['--no-color'], host), columns, out: (text) => void printed.push(text) };
  await renderTable(
    [{ title: 'PORT', align: 'right' }, { title: 'NAME' }, { title: 'COMMAND', flexible: true }],
    rows,
    io,
  );
  return printed.join('\n').split('\n');
}

describe('renderTable()', () => {
  it('aligns plain and wide text alike', async () => {
    const printed = await lines(
      [
        ['80', 'nginx', 'nginx -g x'],
        ['3000', '服务器', 'node 服务.js'],
      ],
      null,
    );
    expect(printed[0]).toBe('PORT  NAME    COMMAND');
    expect(printed[1]).toBe('  80  nginx   nginx -g x');
    expect(printed[2]).toBe('3000  服务器  node 服务.js');
  });

  it('never prints wider than the terminal, whatever the text', async () => {
    const cell = fc.oneof(
      fc.string({ maxLength: 120 }),
      fc.constantFrom('界'.repeat(60), '👩‍👩‍👧'.repeat(20), 'é'.repeat(50)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(cell, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 30, max: 120 }),
        async (cells, width) => {
          const printed = await lines(
            cells.map((text) => ['1', 'x', text]),
            width,
          );
          for (const line of printed) expect(stringWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});
