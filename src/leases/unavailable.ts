// The refusal of a grant for which there is no port, in words that say why.
import { ReeveError } from '../core/errors.ts';
import { exactDuration } from '../core/quantity.ts';
import { formatRange } from '../core/range.ts';
import type { Order } from './ledger.ts';

/** `homes` are the ports that the name had before. */
export function unavailable(
  { name, count, range, strict, quarantineMs }: Order,
  homes: number[],
): ReeveError {
  const ports = homes.slice(0, 5);
  if (strict && ports.length > 0) {
    return new ReeveError(
      'conflict',
      `${name} cannot have ${count > 1 ? `${count} of its ports` : 'its port'} again (${ports.join(', ')})`,
      { hint: `See who has it: reeve leases ${name}; reeve who ${ports[0]}` },
    );
  }
  return new ReeveError(
    'conflict',
    `no ${count > 1 ? `${count} ports` : 'port'} left to lease in ${formatRange(range)}`,
    {
      hint: `Each is leased (reeve leases), or in use (reeve who ${formatRange(range)}), or was so less than ${exactDuration(quarantineMs)} ago: use another --range, or wait`,
    },
  );
}
