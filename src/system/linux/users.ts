// Names of users by number: /etc/passwd first, then whatever the C library is set up to ask (LDAP, sssd…).
import { readFileSync } from 'node:fs';
import { addressOf, libc, offThread } from '../../ffi/index.ts';
import { findUser } from './proc.ts';

/** struct passwd is 48 bytes on glibc and musl (64 bit), 72 on macOS; its first field points at the name. */
const entrySize = 128;
const namesSize = 16 * 1024;
/** More users than this on one machine are asked for again rather than remembered. */
const maxRemembered = 1000;

export type UserName = (uid: number) => Promise<string>;

/** Names as seen at the first question; a number that nobody knows stays a number. */
export function createUserNames(): UserName {
  const names = new Map<number, Promise<string>>();
  return (uid) => {
    let name = names.get(uid);
    if (!name) {
      name = look(uid);
      if (names.size >= maxRemembered) names.clear();
      names.set(uid, name);
    }
    return name;
  };
}

async function look(uid: number): Promise<string> {
  try {
    const name = findUser(readFileSync('/etc/passwd', 'utf8'), uid);
    if (name !== null) return name;
  } catch {
    // No such file, as in some containers: the library may know more, or nobody does.
  }
  return (await fromLibrary(uid)) ?? String(uid);
}

/** Off the main thread, since a directory server may take its time to answer. */
async function fromLibrary(uid: number): Promise<string | null> {
  const entry = new Uint8Array(entrySize);
  const names = Buffer.alloc(namesSize);
  const result = new Uint8Array(8);
  const error = await offThread(libc.getpwuid_r, uid, entry, names, namesSize, result);
  const none = result.every((byte) => byte === 0);
  if (error !== 0 || none) return null;
  const at = Number(new DataView(entry.buffer).getBigUint64(0, true) - addressOf(names));
  if (at < 0 || at >= namesSize) return null;
  return names.toString('utf8', at, names.indexOf(0, at)) || null;
}
