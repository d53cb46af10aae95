// reeve lease, leases, release: ports that are promised to a name.
import { exit, ReeveError } from '../../core/errors.ts';
import { leaseTimes, maxCount } from '../../core/lease.ts';
import { parseDuration } from '../../core/quantity.ts';
import { type PortRange, parseRange } from '../../core/range.ts';
import type { BookOptions, Granted, Lease, LeaseBook } from '../../leases/index.ts';
import { action, type Common, command, type Define, json, option, wholeNumber } from '../define.ts';
import type { Io } from '../io.ts';

interface LeaseOptions extends Common {
  range?: PortRange;
  count: number;
  ttl?: number;
  hold?: boolean;
  strict?: boolean;
  http?: boolean;
  registry?: string;
}

const registryOption = [
  '--registry <url>',
  'the pool of several machines in this Consul, such as http://127.0.0.1:8500/team (also REEVE_LEASES)',
] as const;

export const leaseCommand: Define = (io) =>
  command(
    'lease',
    'print a port and keep it for a name: the same name gets the same port again',
    `
PORT=$(reeve lease) npm start            named by the project, and by its git worktree
reeve lease db --count 3                 three ports in a row, one a line
reeve lease callback --strict --http     fail rather than give another port than before
reeve lease web --hold                   keep it until Ctrl-C, and no longer`,
  )
    .argument('[name]', 'default: of the project, from package.json or the folder, and the git worktree')
    .option('--range <ports>', 'where to take it from (default: 20000-32000)', option(parseRange))
    .option('--count <count>', 'so many ports, all or none', wholeNumber(1, maxCount), 1)
    .option('--ttl <duration>', 'how long without being asked for again (default: 1h)', option(parseDuration))
    .option('--hold', 'stay, keep it by a heartbeat, and let no outgoing connection take it')
    .option('--strict', 'fail if the name cannot have the port that it had')
    .option('--http', 'no port that browsers refuse to connect to')
    .option(...registryOption)
    .action(action<LeaseOptions>(io, ([name], options) => lease(io, name, options)));

async function lease(io: Io, asked: string | undefined, options: LeaseOptions): Promise<number> {
  const { openLeaseBook, projectName } = await import('../../leases/index.ts');
  const name = asked ?? (await projectName(process.cwd()));
  const { range, count, strict = false, http = false } = options;
  const request = { name, count, strict, http, ...(range ? { range } : {}) };
  const system = await selectedSystem();
  const book = await openLeaseBook({ system, env: environment(io, options) });
  try {
    if (options.hold) return await hold(io, { book, system, request, options });
    const ttlMs = options.ttl ?? leaseTimes.ttl;
    const leases = await book.grant({ ...request, owner: null, ttlMs }, io.signal);
    await print(io, leases, options);
    const held = (await book.list(name)).filter(({ owner }) => owner.pid !== null);
    for (const { port, owner } of options.quiet ? [] : held) {
      io.err(io.colors.dim(`process ${owner.pid} holds port ${port} under that name: this is another`));
    }
    return exit.done;
  } finally {
    book.close();
  }
}

interface Hold {
  book: LeaseBook;
  system: BookOptions['system'];
  request: { name: string; count: number };
  options: LeaseOptions;
}

async function hold(io: Io, { book, system, request, options }: Hold): Promise<number> {
  const [{ holdLease }, { silentLog }] = await Promise.all([
    import('../../leases/index.ts'),
    import('../../core/context.ts'),
  ]);
  const ttlMs = options.ttl ?? leaseTimes.heldTtl;
  const held = await holdLease(
    { ...request, ttlMs },
    { book, system, log: silentLog, heartbeatMs: ttlMs / 3 },
    io.signal,
  );
  await print(io, held.leases, options);
  if (!options.quiet) io.err(io.colors.dim(`held${held.parked ? ' and parked' : ''} until Ctrl-C`));
  // The heartbeat alone would let the process end.
  const stay = setInterval(() => {}, 60_000);
  await new Promise((resolve) => {
    for (const signal of [io.signal, held.lost]) signal.addEventListener('abort', resolve, { once: true });
    if (io.signal.aborted) resolve(null);
  });
  clearInterval(stay);
  if (held.lost.aborted) throw held.lost.reason;
  await held.release();
  return exit.done;
}

/** Nothing but ports on stdout, so that a shell can take them. */
async function print(io: Io, leases: readonly Granted[], options: Common): Promise<void> {
  const { leaseRecord } = await import('../../leases/index.ts');
  if (options.json) io.out(json(leaseRecord(leases)));
  else io.out(leases.map(({ port }) => port).join('\n'));
  if (options.quiet) return;
  const { renderMoves } = await import('../render/leases.ts');
  renderMoves(leases, io);
}

interface ListOptions extends Common {
  registry?: string;
  audit?: boolean;
  since?: number;
}

export const leasesCommand: Define = (io) =>
  command(
    'leases',
    'show which ports are leased to which names, or what happened to them',
    `
reeve leases
reeve leases web
reeve leases --audit --since 1h    who had which port, and why it changed`,
  )
    .argument('[name]', 'only leases of this name')
    .option('--audit', 'what happened, oldest first')
    .option(...registryOption)
    .option(
      '--since <duration>',
      'with --audit: how far back (default: all that is kept)',
      option(parseDuration),
    )
    .action(action<ListOptions>(io, ([name], options) => list(io, name, options)));

async function list(io: Io, name: string | undefined, options: ListOptions): Promise<number> {
  if (options.since !== undefined && !options.audit) {
    throw new ReeveError('usage', '--since is for --audit', { hint: 'reeve leases --audit --since 1h' });
  }
  const book = await openBook(io, options);
  try {
    const [{ auditRecord, leaseRecord }, { renderAudit, renderLeases }] = await Promise.all([
      import('../../leases/index.ts'),
      import('../render/leases.ts'),
    ]);
    if (options.audit) {
      const { since } = options;
      const query = { ...(since === undefined ? {} : { sinceMs: since }), ...(name ? { name } : {}) };
      const entries = await book.audit(query);
      if (options.json) io.out(json(auditRecord(entries)));
      else await renderAudit(entries, options.quiet ?? false, io);
      return exit.done;
    }
    const leases = await book.list(name);
    if (options.json) io.out(json(leaseRecord(leases)));
    else await renderLeases(leases, options.quiet ?? false, io);
    return name && leases.length === 0 ? exit.no : exit.done;
  } finally {
    book.close();
  }
}

interface ReleaseOptions extends Common {
  registry?: string;
  force?: boolean;
}

export const releaseCommand: Define = (io) =>
  command(
    'release',
    'give back the ports of a name; it gets them again when it asks again',
    `
reeve release web
reeve release web --force    also from a process that holds it`,
  )
    .argument('<name>')
    .option('--force', 'also what a living process holds, which is told that it lost it')
    .option(...registryOption)
    .action(action<ReleaseOptions>(io, ([name], options) => release(io, name!, options)));

async function release(io: Io, name: string, options: ReleaseOptions): Promise<number> {
  const book = await openBook(io, options);
  try {
    const leases = await book.list(name);
    if (leases.length === 0) throw new ReeveError('not-found', `no port is leased to '${name}'`);
    const held = leases.find(({ owner }) => owner.pid !== null);
    if (held && !options.force) {
      throw new ReeveError('conflict', `port ${held.port} is held by process ${held.owner.pid}`, {
        hint: 'End that process, or give --force',
      });
    }
    const released: Lease[] = await book.release(leases, {
      why: `reeve release${held ? ' --force' : ''}`,
    });
    if (options.json) {
      const { leaseRecord } = await import('../../leases/index.ts');
      io.out(json(leaseRecord(released)));
    } else if (!options.quiet) io.out(`released ${released.map(({ port }) => port).join(', ')}`);
    return exit.done;
  } finally {
    book.close();
  }
}

async function selectedSystem(): Promise<BookOptions['system']> {
  return (await import('../../system/select.ts')).selectSystem();
}

/** A Consul takes the place of the book that the environment names. */
function environment({ env }: Io, { registry }: { registry?: string }): NodeJS.ProcessEnv {
  if (registry === undefined) return env;
  if (/^https?:/.test(registry)) return { ...env, REEVE_LEASES: registry };
  throw new ReeveError('usage', `'${registry}' is no address of Consul: write http://127.0.0.1:8500`);
}

async function openBook(io: Io, options: { registry?: string }): Promise<LeaseBook> {
  const { openLeaseBook } = await import('../../leases/index.ts');
  return openLeaseBook({ system: await selectedSystem(), env: environment(io, options) });
}
