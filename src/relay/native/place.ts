// A target as connections are made to it.
import type { Target } from '../engine.ts';
import type { WireTarget } from './protocol.ts';
import { encodeSockaddr } from './sockaddr.ts';

/** A target with its addresses ready for the kernel. */
export interface Place extends Target {
  /** Where its connections are counted over all workers. */
  slot: number | null;
  /** struct sockaddr of the address whose turn it is; null where the name leads nowhere. */
  sockaddr: Uint8Array | null;
  /** The next address has its turn: this one did not answer. */
  failed(): void;
}

export function placeOf(target: WireTarget): Place {
  const choices = target.addresses.map((address) => encodeSockaddr(address, target.port));
  let turn = 0;
  const { addresses: _, ...rest } = target;
  return {
    ...rest,
    sockaddr: choices[0] ?? null,
    failed() {
      turn += 1;
      this.sockaddr = choices[turn % choices.length] ?? null;
    },
  };
}
