// Addresses and blocks of them, and whether an address is among them. No I/O.
import { BlockList } from 'node:net';
import { familyOf } from '../core/address.ts';

export function blockListOf(blocks: string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix] = block.split('/');
    const family = familyOf(address);
    if (family === null) continue;
    list.addSubnet(address, prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix), family);
  }
  return list;
}

/** `client` without `::ffff:` (`unmapped`). */
export function isListed(list: BlockList, client: string): boolean {
  // A link-local client comes with its zone (`fe80::1%eth0`), which the list does not know.
  const address = client.split('%')[0]!;
  const family = familyOf(address);
  return family !== null && list.check(address, family);
}
