// The keys of reeve top, and that nothing is freed without a yes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keysIn } from './keys.ts';
import { initialState, type PortRow, press, selectedIndex, type TopState, visible } from './state.ts';

const row = (port: number, name: string, startedAt: string | null = null): PortRow => ({
  ...{ key: `tcp :: ${port} ${port}`, protocol: 'tcp', address: '::', port, pid: port },
  ...{ name, user: 'me', startedAt, command: `${name} --serve` },
});

const filled: TopState = {
  ...initialState(),
  ports: [
    row(9000, 'node', '2026-01-02T00:00:00Z'),
    row(22, 'sshd', '2026-01-01T00:00:00Z'),
    row(5432, 'postgres'),
  ],
};

const after = (keys: string[], state = filled) => keys.reduce((now, key) => press(now, key, 5).state, state);
const names = (state: TopState) => visible(state).map((each) => (each as PortRow).name);

test('keys come as names, several of a chunk, and unknown sequences are left out', () => {
  expect(keysIn('\x1b[A\x1b[Bjq')).toEqual(['up', 'down', 'j', 'q']);
  expect(keysIn('\x1b[1;5D\x1b[200~\x01é')).toEqual(['é']);
  expect(keysIn('\x1b')).toEqual(['escape']);
  expect(keysIn('\x03\r\t\x7f')).toEqual(['ctrl-c', 'enter', 'tab', 'backspace']);
});

test('s goes round the columns', () => {
  expect(names(filled)).toEqual(['sshd', 'postgres', 'node']);
  expect(names(after(['s']))).toEqual(['node', 'postgres', 'sshd']);
  expect(names(after(['s', 's', 's']))).toEqual(['node', 'sshd', 'postgres']);
  expect(names(after(['s', 's', 's', 's']))).toEqual(names(filled));
});

test('a filter is typed, with the letters that are keys elsewhere, and cleared', () => {
  const typed = after(['/', 's', 'q', 'backspace', 's', 'h', 'enter']);
  expect([typed.filter, names(typed)]).toEqual(['ssh', ['sshd']]);
  expect(names(after(['escape'], typed))).toHaveLength(3);
});

test('the selection stays on its row when others come', () => {
  const chosen = after(['down']);
  expect(selectedIndex({ ...chosen, ports: [...chosen.ports, row(1, 'early')] })).toBe(2);
});

test('f asks for a plan of the chosen row, and only y carries it out', () => {
  const { order } = press(after(['down']), 'f', 5);
  expect(order).toMatchObject({ kind: 'plan-free', row: { port: 5432 } });
  const asked: TopState = { ...filled, dialog: { lines: ['x'], order: { kind: 'free' } } };
  for (const key of ['n', 'escape', 'enter', 'q', 'f', 'd', 'x'])
    expect(press(asked, key, 5).order).toBeUndefined();
  expect(press(asked, 'y', 5).order).toEqual({ kind: 'free' });
  expect(press(asked, 'ctrl-c', 5).quit).toBe(true);
});

test('a drain is asked for, and taken back without a question', () => {
  const target = {
    ...{ key: 'web a:1', listener: 'web', target: 'a:1', instance: '-', state: 'up' },
    ...{ weight: 1, open: 0, total: 0, failures: 0 },
  };
  const targets = after(['tab'], { ...filled, targets: [target] });
  const asked = press(targets, 'd', 5);
  expect([asked.order, asked.state.dialog?.order]).toEqual([
    undefined,
    { kind: 'drain', row: target, resume: false },
  ]);
  expect(press(targets, 'u', 5).order).toEqual({ kind: 'drain', row: target, resume: true });
  expect(press(targets, 'f', 5).order).toBeUndefined();
});

test('nothing that is typed frees a port without y after f', () => {
  const key = fc.constantFrom('f', 'y', 'n', 'q', '/', 'tab', 'enter', 'escape', 'down', 's', 'd', 'u', '?');
  fc.assert(
    fc.property(fc.array(key, { maxLength: 40 }), (keys) => {
      let state = filled;
      for (const each of keys) {
        const open = state.dialog !== null;
        const pressed = press(state, each, 5);
        if (pressed.order?.kind === 'free') expect([open, each]).toEqual([true, 'y']);
        state = pressed.state;
        if (pressed.order?.kind === 'plan-free')
          state = { ...state, dialog: { lines: [], order: { kind: 'free' } } };
      }
    }),
  );
});
