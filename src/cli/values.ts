// What exists here and now, for completion: live ports, leases, and the daemon's services, listeners, targets and checks.
import type { SocketRecord } from '../core/records.ts';
import type { Control, DaemonStatus } from '../daemon/index.ts';
import type { Io } from './io.ts';

export interface Value {
  text: string;
  /** Shown beside it by shells that can. */
  note: string;
}

/** Which values a command's operand takes. */
export const valuesOf: Readonly<Record<string, Kind>> = {
  ...{ who: 'sockets', why: 'ports', free: 'ports', check: 'checks', wait: 'checks' },
  ...{ lease: 'leases', leases: 'leases', release: 'leases', run: 'leases' },
  ...{
    restart: 'instances',
    logs: 'instances',
    scale: 'services',
    status: 'services',
    services: 'services',
    announce: 'services',
    dial: 'services',
  },
  ...{ drain: 'targets', weight: 'targets', maintain: 'subjects' },
};

export type Kind =
  | 'ports'
  | 'sockets'
  | 'leases'
  | 'services'
  | 'instances'
  | 'targets'
  | 'checks'
  | 'subjects';

/** Nothing where the daemon or the lease book does not answer: a key press is no place for errors. */
export async function readValues(kind: Kind, typed: string, io: Io): Promise<Value[]> {
  if (kind === 'sockets' && /^(name|pid):/.test(typed)) return holders(typed.slice(0, typed.indexOf(':')));
  if (kind === 'ports' || kind === 'sockets') return ports();
  if (kind === 'leases') return leases(io);
  const status = await (await daemon(io)).status(AbortSignal.any([io.signal, AbortSignal.timeout(1000)]));
  return { services, instances, targets, checks, subjects }[kind](status);
}

async function listening(): Promise<SocketRecord[]> {
  const [{ selectSystem }, { who }] = await Promise.all([
    import('../system/select.ts'),
    import('../ports/index.ts'),
  ]);
  return (await who(await selectSystem())).sockets;
}

async function ports(): Promise<Value[]> {
  const sockets = await listening();
  const notes = new Map<string, string>();
  for (const { protocol, port, holders } of sockets) {
    const text = protocol === 'udp' ? `udp:${port}` : String(port);
    if (!notes.get(text))
      notes.set(text, holders.map(({ name, pid }) => `${name} (${pid})`).join(', ') || 'holder hidden');
  }
  return [...notes].map(([text, note]) => ({ text, note }));
}

async function holders(by: string): Promise<Value[]> {
  const notes = new Map<string, string>();
  for (const { port, holders } of await listening())
    for (const { name, pid } of holders)
      notes.set(by === 'pid' ? `pid:${pid}` : `name:${name}`, by === 'pid' ? (name ?? '') : `port ${port}`);
  return [...notes].map(([text, note]) => ({ text, note }));
}

async function leases(io: Io): Promise<Value[]> {
  const [{ selectSystem }, { openLeaseBook }] = await Promise.all([
    import('../system/select.ts'),
    import('../leases/index.ts'),
  ]);
  const book = await openLeaseBook({ system: await selectSystem(), env: io.env });
  try {
    return (await book.list()).map(({ name, port }) => ({ text: name, note: `port ${port}` }));
  } finally {
    book.close();
  }
}

async function daemon(io: Io): Promise<Control> {
  const { connectControl } = await import('../daemon/index.ts');
  return connectControl({ env: io.env });
}

const services = (status: DaemonStatus): Value[] =>
  status.services.map(({ name, instances }) => ({ text: name, note: `${instances.length} instances` }));

const instances = (status: DaemonStatus): Value[] =>
  status.services.flatMap(({ name, instances }) => [
    { text: name, note: 'all of it' },
    ...instances.map(({ id, state }) => ({ text: id, note: state })),
  ]);

const targets = (status: DaemonStatus): Value[] =>
  status.listeners.flatMap(({ name, targets }) =>
    targets.flatMap(({ id, instance, verdict }) => [
      { text: `${name}/${id}`, note: verdict },
      ...(instance ? [{ text: instance, note: `${id}, ${verdict}` }] : []),
    ]),
  );

const checks = (status: DaemonStatus): Value[] =>
  status.checks.map(({ name, url, verdict }) => ({ text: url, note: `${name}, ${verdict}` }));

const subjects = (status: DaemonStatus): Value[] => [
  ...status.checks.map(({ name, verdict }) => ({ text: name, note: `check, ${verdict}` })),
  ...instances(status),
  ...status.listeners.flatMap(({ targets }) =>
    targets.map(({ id, verdict }) => ({ text: id, note: `target, ${verdict}` })),
  ),
];
