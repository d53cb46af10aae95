// The proof that a port can be had: bound on TCP and UDP, on both families, as a stranger would find it.
import { ReeveError } from '../core/errors.ts';
import type { BindRequest, System } from '../system/index.ts';

export type Refusal = Record<string, unknown>;

type Protocol = BindRequest['protocol'];

const withoutFamily = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT']);
const withoutDescriptors = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/**
 * An address of loopback that no connection uses. A bind to it meets whoever has the port on every address, but
 * not the TIME_WAIT of connections that a server has closed, which are of one address each.
 */
const unusedLoopback = '127.77.66.55';

/**
 * Without SO_REUSEADDR, so that any other socket on the port is met: one that listens, one that is parked, the near
 * end of a connection. `home`: the name had the port before, and what its own server has left in TIME_WAIT is
 * no obstacle.
 * @returns null when it can be had, else what was in the way.
 */
export async function provePort(system: System, port: number, home: boolean): Promise<Refusal | null> {
  for (const protocol of ['tcp', 'udp'] as const) {
    const failed = await tryFamilies(system, protocol, port);
    if (!failed) continue;
    const mayWait = home && protocol === 'tcp' && failed.code === 'EADDRINUSE';
    if (mayWait && (await isOnlyWaiting(system, port))) continue;
    return { ...failed, protocol };
  }
  return null;
}

async function tryFamilies(system: System, protocol: Protocol, port: number, reuse = false) {
  const failed = await tryBind(system, protocol, '::', port, reuse);
  // Where there is no IPv6, IPv4 is the proof.
  const isProof = failed ? !withoutFamily.has(failed.code) : system.binder.dualStackMeetsAll;
  if (isProof) return failed;
  const onIpv4 = await tryBind(system, protocol, '0.0.0.0', port, reuse);
  return onIpv4 && !withoutFamily.has(onIpv4.code) ? onIpv4 : null;
}

async function tryBind(system: System, protocol: Protocol, address: string, port: number, reuse = false) {
  // Without SO_REUSEADDR the bind alone meets everybody: a listen on top costs half as much again.
  const outcome = await system.binder.attempt({
    protocol,
    address,
    port,
    reuse,
    v6only: false,
    listen: reuse,
  });
  if (outcome.ok) return null;
  const { code, syscall } = outcome.error;
  if (withoutDescriptors.has(code)) {
    throw new ReeveError('fault', `cannot try port ${port}: ${syscall} failed with ${code}`, {
      hint: 'Raise the limit of open files (ulimit -n), or close some',
    });
  }
  return { code, syscall, address };
}

async function isOnlyWaiting(system: System, port: number): Promise<boolean> {
  return (
    (await tryBind(system, 'tcp', unusedLoopback, port)) === null &&
    (await tryFamilies(system, 'tcp', port, true)) === null
  );
}

/** Who is on the port, for the audit and for messages; null where nobody can be shown. */
export async function findHolder(
  { sockets, processes }: System,
  port: number,
): Promise<{ pid: number; name: string } | null> {
  try {
    const { rows } = await sockets.table({ ports: [{ first: port, last: port }] });
    const ids = rows.map(({ id }) => id).filter((id) => id !== null);
    if (ids.length === 0) return null;
    const { pids } = await sockets.holders(new Set(ids));
    const [pid] = [...pids.values()].flat();
    const facts = pid === undefined ? null : await processes.facts(pid);
    return facts && { pid: facts.pid, name: facts.name };
  } catch {
    // A platform that cannot tell: the bind's own error is evidence enough.
    return null;
  }
}
