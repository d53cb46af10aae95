// Listening sockets across reloads: one that the new configuration still asks for is handed on without being closed.
import type { ListenerConfig } from '../config/index.ts';
import { type Endpoint, formatAddress, formatEndpoint } from '../core/endpoint.ts';
import { isReeveError, ReeveError } from '../core/errors.ts';
import {
  type AnyBinding,
  type Binding,
  type BindTools,
  type DatagramBinding,
  openDatagrams,
  openListener,
  type Verification,
  verifyDatagrams,
  verifyListening,
} from '../listen/index.ts';

/** One address that a listener is to have. */
export interface Want {
  listener: string;
  endpoint: Endpoint;
  config: ListenerConfig;
  /** Wants with the same key are the same socket. */
  key: string;
}

export interface Held {
  readonly key: string;
  readonly listener: string;
  /** As the configuration has it; after a conflict the binding may have another port. */
  readonly asked: Endpoint;
  readonly binding: AnyBinding;
  readonly backlog: number;
  /** Takes it from the engine that has it, which can then no longer close it, for another listener. */
  moveTo(listener: string): void;
  /** What is given to an engine. Who had it before can no longer close it. */
  lend(): AnyBinding;
}

export function wantsOf(configs: Record<string, ListenerConfig>): Want[] {
  return Object.entries(configs).flatMap(([listener, config]) =>
    config.bind.map((endpoint, i) => {
      const options = `${config.v6only} ${config.backlog}`;
      // Port 0 asks for any: two such wants are never the same socket.
      const own = endpoint.port === 0 ? `${listener} ${i} ` : '';
      return { listener, endpoint, config, key: `${own}${formatEndpoint(endpoint)} ${options}` };
    }),
  );
}

/** Which of the sockets at hand serve which want: a listener's own first, then those of others (it was renamed). */
export function claimHeld(wants: Want[], available: Held[]): Map<Want, Held> {
  const claimed = new Map<Want, Held>();
  const left = new Set(available);
  for (const sameListener of [true, false]) {
    for (const want of wants) {
      if (claimed.has(want)) continue;
      for (const held of left) {
        if (held.key !== want.key || (sameListener && held.listener !== want.listener)) continue;
        claimed.set(want, held);
        left.delete(held);
        break;
      }
    }
  }
  return claimed;
}

/** Binds, then makes sure that connections arrive here. */
async function openWant(want: Want, tools: BindTools, signal: AbortSignal): Promise<Held> {
  const { listener, endpoint, config } = want;
  const { v6only, backlog, conflict } = config;
  const request = { name: listener, endpoint, v6only, backlog, conflict };
  const [binding, { verified, words }] = await (endpoint.protocol === 'udp'
    ? openBoth(openDatagrams(request, tools, signal), verifyDatagrams, signal)
    : openBoth(openListener(request, tools, signal), verifyListening, signal));
  const where = addressOf(binding);
  tools.context.emit({
    kind: 'listener',
    subject: `listener/${listener}`,
    message: verified === false ? `listening on ${where}, but ${words.join('; ')}` : `listening on ${where}`,
    detail: { address: where, verified },
  });
  return hold({ ...want, backlog }, binding);
}

async function openBoth<Bound extends AnyBinding>(
  opening: Promise<Bound>,
  verify: (binding: Bound, signal: AbortSignal) => Promise<Verification>,
  signal: AbortSignal,
): Promise<[Bound, Verification]> {
  const binding = await opening;
  return [binding, await verify(binding, signal)];
}

/** What was really bound, for people: `127.0.0.1:8080`, `udp://127.0.0.1:53`. */
export function addressOf({ transport, address, port }: AnyBinding): string {
  return formatAddress({ protocol: transport, host: address, port });
}

/** All or none. */
export async function openAll(
  wants: Want[],
  tools: BindTools,
  signal: AbortSignal,
): Promise<Map<Want, Held>> {
  const cancel = new AbortController();
  const either = AbortSignal.any([signal, cancel.signal]);
  const opened = new Map<Want, Held>();
  let failure: unknown;
  await Promise.all(
    wants.map(async (want) => {
      try {
        opened.set(want, await openWant(want, tools, either));
      } catch (error) {
        failure ??= error;
        cancel.abort();
      }
    }),
  );
  if (failure === undefined) return opened;
  await closeAll(opened);
  throw failure;
}

export async function closeAll(opened: Map<Want, Held>): Promise<void> {
  await Promise.all([...opened.values()].map(({ binding }) => binding.close()));
}

/** Says so where it is this daemon's own socket that stands in the way: the same port with other options. */
export function inOwnWay(error: unknown, wants: Want[], held: Held[]): unknown {
  const ports = new Set(held.map(({ binding }) => `${binding.transport} ${binding.port}`));
  const own = wants.find(({ endpoint }) => ports.has(`${endpoint.protocol} ${endpoint.port}`));
  if (!own || !isReeveError(error) || error.code !== 'conflict') return error;
  return new ReeveError('conflict', error.message, {
    hint: `If it is this daemon that has port ${own.endpoint.port}, in another form: that takes a restart to change`,
    cause: error,
  });
}

export function hold(
  { key, listener, endpoint, backlog }: Pick<Want, 'key' | 'listener' | 'endpoint'> & { backlog: number },
  binding: AnyBinding,
): Held {
  let owner = listener;
  let loan = 0;
  return {
    key,
    get listener() {
      return owner;
    },
    asked: endpoint,
    binding,
    backlog,
    moveTo(next) {
      owner = next;
      loan += 1;
    },
    lend() {
      const current = ++loan;
      const close = () => (loan === current ? binding.close() : Promise.resolve());
      return binding.transport === 'udp' ? lentDatagrams(binding, close) : lentStream(binding, close);
    },
  };
}

function lentStream(binding: Binding, close: () => Promise<void>): Binding {
  return {
    ...shown(binding),
    transport: 'tcp',
    accept: (handler) => binding.accept(handler),
    handOver: (calls) => binding.handOver(calls),
    close,
  };
}

function lentDatagrams(binding: DatagramBinding, close: () => Promise<void>): DatagramBinding {
  return { ...shown(binding), transport: 'udp', accept: (welcome) => binding.accept(welcome), close };
}

function shown(binding: AnyBinding) {
  const { endpoint, address, port, verified } = binding;
  return {
    ...{ endpoint, address, port, verified },
    listening: () => binding.listening(),
    descriptor: () => binding.descriptor(),
    cede: () => binding.cede(),
  };
}
