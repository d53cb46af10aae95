// Open ports of this machine, checked against its socket table: who is not in there must answer a second time.
import { addressesOverlap, familyOf } from '../../core/address.ts';
import { isReeveError } from '../../core/errors.ts';
import type { PortAnswer, SocketRow, System } from '../../system/index.ts';

type Ask = (ports: Iterable<number>, heard: (port: number, answer: PortAnswer) => void) => Promise<void>;

/**
 * The ports that are open beyond doubt. One without a listener in the table had one that is gone by now, belongs to
 * another network namespace (redirected by the firewall), or was a connection of two clients that met: only an
 * answer to a new question tells.
 */
export async function confirmOpen(
  system: System,
  address: string,
  open: number[],
  ask: Ask,
): Promise<number[]> {
  const doubtful = open.length === 0 ? [] : await withoutListener(system, address, open);
  if (doubtful.length === 0) return open;
  const again = new Set<number>();
  await ask(doubtful, (port, answer) => {
    if (answer === 'open') again.add(port);
  });
  const doubted = new Set(doubtful);
  return open.filter((port) => !doubted.has(port) || again.has(port));
}

async function withoutListener(system: System, address: string, open: number[]): Promise<number[]> {
  const listening = await listeners(system, address);
  return open.filter((port) => !listening.has(port));
}

/** Empty where the platform cannot tell: then every port is asked again. */
async function listeners(system: System, address: string): Promise<Set<number>> {
  try {
    const { rows } = await system.sockets.table({ protocols: ['tcp'], listening: true });
    return new Set(rows.filter((row) => reaches(row, address)).map(({ port }) => port));
  } catch (error) {
    if (isReeveError(error) && error.code === 'unsupported') return new Set();
    throw error;
  }
}

function reaches(row: SocketRow, address: string): boolean {
  const bare = address.split('%')[0]!;
  const family = familyOf(bare);
  if (family === null) return false;
  return addressesOverlap(
    { family: row.family, address: row.address, v6only: row.v6only ?? false },
    { family, address: bare, v6only: true },
  );
}
