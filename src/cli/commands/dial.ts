// reeve dial: connects the terminal, or a pipe, to an instance of a service that takes the connection.
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { formatHostPort } from '../../core/endpoint.ts';
import { errorMessage, exit, ReeveError } from '../../core/errors.ts';
import { formatDuration, parseDuration } from '../../core/quantity.ts';
import { printable } from '../../core/text.ts';
import type { Dialer, DialOptions, FindInstances } from '../../dial/index.ts';
import { action, type Define, setting, wholeNumber } from '../define.ts';
import type { Io } from '../io.ts';
import { type ControlOptions, connect, controlCommand } from './control-command.ts';

const collect = (value: string, before: string[] = []): string[] => [...before, value];

interface Options extends ControlOptions {
  registry?: string;
  tag?: string[];
  port?: string;
  retries: number;
  timeout: number;
  tls?: boolean;
  ca?: string;
  servername?: string;
  insecure?: boolean;
}

export const dialCommand: Define = (io) =>
  controlCommand(
    'dial',
    'connect to an instance of a service that takes the connection: standard input goes there, its words to standard output',
    `
reeve dial user-api                                 of the running daemon's registry
reeve dial user-api --registry http://127.0.0.1:8500
reeve dial 10.0.0.5:6379 10.0.0.6:6379              whichever answers
printf 'GET / HTTP/1.0\\r\\n\\r\\n' | reeve dial user-api`,
  )
    .argument('<service or host:port...>', 'name of one service, or where its instances are')
    .option('--registry <url>', 'a Consul, in place of the daemon (also REEVE_REGISTRY)')
    .option('--tag <tag>', 'only instances with this tag; may be repeated', collect)
    .option('--port <name>', 'which of the ports of an instance; its main one by default')
    .option('--retries <count>', 'further attempts, at others first', wholeNumber(0, 100), 3)
    .addOption(setting('--timeout <duration>', 'for each attempt to connect', parseDuration, '5s'))
    .option('--tls', 'speak TLS')
    .option('--ca <file>', 'TLS: certificates to trust in place of the built-in ones')
    .option('--servername <name>', 'TLS: the name that the certificate must have')
    .option('--insecure', 'TLS: accept certificates that do not verify')
    .action(action<Options>(io, (operands, options) => run(io, operands, options)));

async function run(io: Io, operands: string[], options: Options): Promise<number> {
  const [{ createDialer }, { silentLog, systemClock }] = await Promise.all([
    import('../../dial/index.ts'),
    import('../../core/context.ts'),
  ]);
  const isService =
    operands.length === 1 && /^[A-Za-z0-9_-]+$/.test(operands[0]!) && !/^\d+$/.test(operands[0]!);
  const name = isService ? operands[0]! : operands.join(', ');
  const context = { clock: systemClock, random: Math.random, log: silentLog, emit: () => {} };
  const asked: DialOptions = {
    ...{ retry: { attempts: options.retries }, connectTimeoutMs: options.timeout },
    ...(isService ? queryOf(options) : { targets: operands }),
    ...tlsOf(options),
  };
  const ofDaemon = isService && options.registry === undefined && !io.env.REEVE_REGISTRY;
  await using dialer = createDialer(
    name,
    asked,
    io.env,
    context,
    ofDaemon ? ofTheDaemon(io, options) : undefined,
  );
  const note = (text: string) => void (options.quiet || io.err(io.colors.dim(printable(text))));
  dialer.on('retry', ({ target, reason, delayMs }) =>
    note(`${target}: ${reason}${delayMs > 0 ? `; again in ${formatDuration(delayMs)}` : ''}`),
  );
  return await talk(io, await reach(dialer, io, name, note));
}

async function reach(dialer: Dialer, io: Io, name: string, note: (text: string) => void): Promise<Socket> {
  const socket = await dialer.connect(io.signal);
  note(`connected to ${formatHostPort(socket.remoteAddress ?? '?', socket.remotePort ?? 0)} (${name})`);
  return socket;
}

/** Until the other side has ended, or Ctrl-C. What it says after our end is still heard. */
async function talk(io: Io, socket: Socket): Promise<number> {
  const { stdin, stdout } = io.host;
  let wrong: Error | null = null;
  socket.on('error', (error) => {
    wrong = error;
  });
  const stop = () => void socket.destroy();
  io.signal.addEventListener('abort', stop, { once: true });
  // Not events.once: it rejects at an error.
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  stdin.pipe(socket);
  socket.pipe(stdout, { end: false });
  if (io.signal.aborted) stop();
  await closed;
  stdin.unpipe(socket);
  // What keeps a terminal, or a pipe that nobody closes, from being waited for.
  stdin.destroy();
  if (io.signal.aborted) throw new ReeveError('aborted', 'interrupted');
  if (wrong) throw new ReeveError('unreachable', `the connection broke: ${errorMessage(wrong)}`);
  return exit.done;
}

function queryOf({ registry, tag, port }: Options): DialOptions {
  return {
    ...(registry !== undefined && { registry }),
    ...(tag && { tags: tag }),
    ...(port !== undefined && { port }),
  };
}

function tlsOf({ tls, ca, servername, insecure }: Options): DialOptions {
  if (!tls && (ca ?? servername ?? insecure) === undefined) return {};
  return {
    tls: {
      ...(ca !== undefined && { ca: readCertificates(ca) }),
      ...(servername !== undefined && { servername }),
      ...(insecure && { rejectUnauthorized: false }),
    },
  };
}

function readCertificates(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ReeveError('usage', `--ca: ${file} cannot be read: ${errorMessage(error)}`);
  }
}

function ofTheDaemon(io: Io, options: Options): FindInstances {
  return {
    find: async ({ service, tags = [] }, signal) => {
      const control = await connect(io, options);
      const { instances } = (await control.find({ service, tags: [...tags], all: false }, signal)) as {
        instances: Awaited<ReturnType<FindInstances['find']>>;
      };
      return instances;
    },
    close: async () => {},
  };
}
