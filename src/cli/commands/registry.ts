// reeve services, announce: what the registry has, and one more service in it.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { ReeveEvent } from '../../core/context.ts';
import { parsePort } from '../../core/endpoint.ts';
import { errorMessage, exit, ReeveError } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import type { FoundInstance, ServiceSummary } from '../../registry/index.ts';
import { action, type Common, command, type Define, json, option } from '../define.ts';
import type { Io } from '../io.ts';
import { type ControlOptions, connect, controlCommand } from './control-command.ts';

const collect = (value: string, before: string[] = []): string[] => [...before, value];

interface ServicesOptions extends ControlOptions {
  registry?: string;
  tag?: string[];
  all?: boolean;
}

type Services = { services: ServiceSummary[] };
type Instances = { service: string; instances: FoundInstance[] };

export const servicesCommand: Define = (io) =>
  controlCommand(
    'services',
    'show which services the registry has, or where the passing instances of one are',
    `
reeve services                                      of the running daemon's registry
reeve services user-api --tag v2
reeve services user-api --all                       those that do not pass too, with the reason
reeve services --registry http://127.0.0.1:8500     of this Consul, without a daemon`,
  )
    .argument('[name]', 'of one service')
    .option('--registry <url>', 'a Consul, in place of the daemon (also REEVE_REGISTRY)')
    .option('--tag <tag>', 'only instances with this tag; may be repeated', collect)
    .option('--all', 'also instances that do not pass')
    .action(action<ServicesOptions>(io, ([name], options) => services(io, name, options)));

async function services(io: Io, name: string | undefined, options: ServicesOptions): Promise<number> {
  const query =
    name === undefined ? null : { service: name, tags: options.tag ?? [], all: options.all ?? false };
  if (!query && (options.tag || options.all))
    throw new ReeveError('usage', '--tag and --all are for the instances of one service', {
      hint: 'reeve services user-api --all',
    });
  const found = (await lookUp(io, query, options)) as Services | Instances;
  if (options.json) io.out(json(found));
  else {
    const { renderInstances, renderServices } = await import('../render/registry.ts');
    if ('services' in found) await renderServices(found.services, io);
    else await renderInstances(found.instances, io);
  }
  return 'instances' in found && found.instances.length === 0 ? exit.no : exit.done;
}

async function lookUp(
  io: Io,
  query: { service: string; tags: string[]; all: boolean } | null,
  options: ServicesOptions,
): Promise<unknown> {
  if (options.registry === undefined && !io.env.REEVE_REGISTRY)
    return (await connect(io, options)).find(query, io.signal);
  const [{ openRegistry }, { silentLog, systemClock }] = await Promise.all([
    import('../../registry/index.ts'),
    import('../../core/context.ts'),
  ]);
  const context = { clock: systemClock, random: Math.random, log: silentLog, emit: () => {} };
  const registry = openRegistry(options.registry, io.env, context);
  try {
    if (!query) return { services: await registry.services(io.signal) };
    return { service: query.service, instances: await registry.find(query, io.signal) };
  } finally {
    await registry.close();
  }
}

interface AnnounceCommandOptions extends Common {
  port: number;
  tag?: string[];
  meta?: string[];
  address?: string;
  check?: string;
  registry?: string;
}

export const announceCommand: Define = (io, program) =>
  command(
    'announce',
    'announce a service in Consul while a command runs, or until Ctrl-C; it passes while its check does',
    `
reeve announce db --port 5432 --tag primary
reeve announce api --port 8080 --check http://127.0.0.1:8080/healthz -- node server.js`,
  )
    .usage('[options] <name> -- [command...]')
    .argument('<words...>', 'name of the service, then -- and the command')
    .requiredOption('--port <port>', 'where it listens', option(parsePort))
    .option('--address <address>', "where others reach it (default: the address of Consul's node)")
    .option('--tag <tag>', 'what others may choose by; may be repeated', collect)
    .option('--meta <key=value>', 'what others may read; may be repeated', collect)
    .option('--check <url>', 'what is probed (default: whether the port accepts connections)')
    .option(
      '--registry <url>',
      'address of Consul (also REEVE_REGISTRY, CONSUL_HTTP_ADDR; default: http://127.0.0.1:8500)',
    )
    .action(async (words: string[], options: AnnounceCommandOptions) => {
      const { rawArgs } = program as unknown as { rawArgs: string[] };
      const at = rawArgs.indexOf('--');
      const argv = at < 0 ? [] : rawArgs.slice(at + 1);
      const names = words.slice(0, words.length - argv.length);
      if (names.length !== 1)
        throw new ReeveError('usage', `one name is accepted before --, not '${names.join(' ')}'`, {
          hint: 'For example: reeve announce api --port 8080 -- node server.js',
        });
      io.exitCode = await announce(io, names[0]!, argv, { ...program.opts(), ...options });
    });

async function announce(
  io: Io,
  name: string,
  argv: string[],
  options: AnnounceCommandOptions,
): Promise<number> {
  const [{ announceService }, { silentLog, systemClock }] = await Promise.all([
    import('../../daemon/index.ts'),
    import('../../core/context.ts'),
  ]);
  const emit = (event: ReeveEvent) => {
    if (!options.quiet) io.err(io.colors.dim(`${event.subject}: ${printable(event.message)}`));
  };
  const { tag = [], meta = [], port, address, check, registry } = options;
  const announced = await announceService(
    name,
    {
      ...{ port, tags: tag, meta: Object.fromEntries(meta.map(parseMeta)) },
      ...(address === undefined ? {} : { address }),
      ...(check === undefined ? {} : { check }),
      ...(registry === undefined ? {} : { registry }),
    },
    io.env,
    { clock: systemClock, random: Math.random, log: silentLog, emit },
  );
  if (options.json) io.out(json({ id: announced.id, service: name, port }));
  else if (!options.quiet) io.err(io.colors.dim(`announced as ${announced.id}`));
  try {
    return await (argv.length > 0 ? runCommand(io, argv) : untilStopped(io));
  } finally {
    await announced.withdraw();
  }
}

function parseMeta(text: string): [string, string] {
  const [, key, value] = /^([A-Za-z0-9_-]{1,128})=(.{0,512})$/.exec(text) ?? [];
  if (key !== undefined && value !== undefined) return [key, value];
  throw new ReeveError('usage', `'${text}' is no meta: write key=value, the key of letters, digits, - and _`);
}

async function untilStopped(io: Io): Promise<number> {
  // A check's timer alone might let the process end.
  const stay = setInterval(() => {}, 60_000);
  await new Promise((resolve) => {
    io.signal.addEventListener('abort', resolve, { once: true });
    if (io.signal.aborted) resolve(null);
  });
  clearInterval(stay);
  return exit.done;
}

/** Its exit code, 128 and more for a signal as shells have it. What this process is told, it is told. */
function runCommand(io: Io, [file, ...args]: string[]): Promise<number> {
  io.releaseSignals();
  const child = spawn(file!, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    io.host.on(signal, () => void child.kill(signal));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      io.err(`${io.colors.red('reeve:')} ${printable(file!)} cannot be started: ${errorMessage(error)}`);
      resolve((error as NodeJS.ErrnoException).code === 'ENOENT' ? 127 : 126);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
