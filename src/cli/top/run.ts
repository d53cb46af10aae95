// The loop of reeve top: looks, draws, takes keys, and does what they order. The terminal is given back as it was.
import { formatHostPort } from '../../core/endpoint.ts';
import { errorMessage, exit } from '../../core/errors.ts';
import type { Control } from '../../daemon/index.ts';
import {
  carryOut,
  type PreparedFree,
  parsePortTarget,
  planned,
  prepareFree,
  who,
} from '../../ports/index.ts';
import type { System } from '../../system/index.ts';
import type { Io } from '../io.ts';
import { keysIn } from './keys.ts';
import {
  initialState,
  type Order,
  type PortRow,
  portRows,
  press,
  type TopState,
  targetRows,
} from './state.ts';
import { draw, pageOf, type Size } from './view.ts';

export interface TopOptions {
  system: System;
  intervalMs: number;
  control(): Promise<Control>;
}

const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l';

export async function runTop(io: Io, { system, intervalMs, control }: TopOptions): Promise<number> {
  const { stdin, stdout } = io.host;
  let state = initialState();
  let prepared: PreparedFree | null = null;
  let drawing: Promise<void> = Promise.resolve();
  let ended = false;
  const over = deferred();
  // Without a listener of its own a rejection that comes before the wait would end the process.
  over.promise.catch(() => {});

  const size = (): Size => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const redraw = () => {
    drawing = drawing.then(async () => {
      if (ended) return;
      const lines = await draw(state, size(), io);
      if (!ended) stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
    });
    drawing.catch(fail);
  };
  const fail = (error: unknown) => {
    ended = true;
    over.reject(error);
  };
  const set = (changes: Partial<TopState>) => {
    state = { ...state, ...changes };
    redraw();
  };

  async function look(): Promise<void> {
    const [{ sockets }, status] = await Promise.all([
      who(system),
      control()
        .then((client) => client.status(io.signal))
        .catch((error: unknown) => errorMessage(error)),
    ]);
    const daemon =
      typeof status === 'string'
        ? { targets: [], noDaemon: status }
        : { targets: targetRows(status), noDaemon: null };
    set({ ports: portRows(sockets), ...daemon });
  }

  async function obey(order: Order): Promise<void> {
    if (order.kind === 'plan-free') {
      prepared = await planFor(order.row);
      const { outcome, plan, reason } = planned(prepared);
      if (outcome === 'already-free') set({ message: `${prepared.endpoint} is free already` });
      else if (outcome !== 'planned') set({ message: `left alone: ${reason}` });
      else {
        const verb = (action: string) => (action === 'terminate' ? 'end' : 'stop');
        const lines = plan.map(({ action, subject }) => `  ${verb(action)} ${subject}`);
        set({ dialog: { lines: [`${prepared.endpoint}: to free it`, ...lines], order: { kind: 'free' } } });
      }
    } else if (order.kind === 'free' && prepared) {
      const plan = prepared;
      prepared = null;
      set({ message: `freeing ${plan.endpoint}…` });
      const result = await carryOut(system, plan, {}, io.signal);
      set({
        message:
          result.outcome === 'freed'
            ? `${plan.endpoint} is free: ${result.proof}`
            : `${plan.endpoint} is not free: ${result.reason}`,
      });
      await look();
    } else if (order.kind === 'drain') {
      const { row, resume } = order;
      const client = await control();
      const { targets } = await client.drain(
        { target: row.target, listener: row.listener, ...(resume && { resume }) },
        io.signal,
      );
      set({ message: `${resume ? 'in balance again' : 'draining'}: ${targets.join(', ')}` });
      await look();
    }
  }

  const planFor = async ({ protocol, address, port }: PortRow): Promise<PreparedFree> => {
    const target = parsePortTarget(`${protocol}:${formatHostPort(address, port)}`);
    return (await prepareFree(system, [target], { force: false }))[0]!;
  };

  const onKeys = (chunk: Buffer | string) => {
    for (const key of keysIn(String(chunk))) {
      const pressed = press(state, key, pageOf(size()));
      state = pressed.state;
      if (pressed.quit) return over.resolve();
      if (pressed.order) obey(pressed.order).catch((error) => set({ message: errorMessage(error) }));
    }
    redraw();
  };
  const quit = () => over.resolve();

  stdin.setRawMode(true);
  stdin.setEncoding('utf8').on('data', onKeys).resume();
  stdin.once('end', quit);
  stdout.on('resize', redraw);
  io.signal.addEventListener('abort', quit, { once: true });
  stdout.write(enter);
  let looking = false;
  const timer = setInterval(() => {
    if (looking || state.dialog) return;
    looking = true;
    look()
      .catch(fail)
      .finally(() => {
        looking = false;
      });
  }, intervalMs);
  try {
    redraw();
    look().catch(fail);
    if (io.signal.aborted) return exit.done;
    await over.promise;
    return exit.done;
  } finally {
    ended = true;
    clearInterval(timer);
    stdin.off('data', onKeys).off('end', quit).pause();
    stdin.setRawMode(false);
    stdout.off('resize', redraw);
    stdout.write(leave);
  }
}

/** Promise.withResolvers is of Node 22. */
function deferred() {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
