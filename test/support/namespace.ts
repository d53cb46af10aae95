// Network namespaces of a test's own: with loopback up, joined by veth pairs, gone when the test ends.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
let count = 0;

export interface Namespace {
  name: string;
  /** Put before a command, it runs in there. */
  prefix: string[];
  /** `ip` in there. */
  ip(...words: string[]): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function namespace(): Promise<Namespace> {
  const name = `reeve-test-${process.pid}-${count++}`;
  await run('ip', ['netns', 'add', name]);
  const ip = async (...words: string[]) => void (await run('ip', ['-n', name, ...words]));
  await ip('link', 'set', 'lo', 'up');
  return {
    name,
    prefix: ['ip', 'netns', 'exec', name],
    ip,
    async [Symbol.asyncDispose]() {
      await run('ip', ['netns', 'delete', name]);
    },
  };
}

/** Joins the two: addresses with their prefix length, one list a side. IPv6 ones are usable at once. */
export async function join(a: Namespace, b: Namespace, ofA: string[], ofB: string[]): Promise<void> {
  await a.ip('link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth0', 'netns', b.name);
  for (const [side, addresses] of [
    [a, ofA],
    [b, ofB],
  ] as const) {
    await side.ip('link', 'set', 'veth0', 'up');
    for (const address of addresses) {
      // No duplicate detection: it would keep the address from use for a second.
      await side.ip('address', 'add', address, 'dev', 'veth0', ...(address.includes(':') ? ['nodad'] : []));
    }
  }
}
