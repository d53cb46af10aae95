// Access lists of Windows as text (SDDL): written for one owner, and read for who else has access. Pure.
import { createHash } from 'node:crypto';

/** Local System and the administrators, who can get at every file anyway; as SDDL and as numbers. */
const trusted = new Set(['SY', 'BA', 'S-1-5-18', 'S-1-5-32-544']);
/** NT SERVICE\…: only administrators install services. */
const serviceSids = 'S-1-5-80-';
/** OWNER RIGHTS is about the owner, who counts on its own. */
const ownerRights = new Set(['OW', 'S-1-3-4']);

/** All for the two and this one; protected, so that nothing comes from the folder above. */
export function ownerOnly(sid: string, kind: 'file' | 'folder', rights = 'FA'): string {
  const inherited = kind === 'folder' ? 'OICI' : '';
  const entry = (who: string, what = 'FA') => `(A;${inherited};${what};;;${who})`;
  return `D:P${entry('SY')}${entry('BA')}${entry(sid, rights)}`;
}

/** FILE_GENERIC_READ, WRITE, EXECUTE and DELETE: icacls' M. */
export const modify = '0x1301bf';

/** S-1-5-80 and the SHA-1 of the name in capitals, as five numbers: `sc showsid`. */
export function serviceSid(name: string): string {
  const hash = createHash('sha1').update(Buffer.from(name.toUpperCase(), 'utf16le')).digest();
  return [`S-1-5-80`, ...[0, 4, 8, 12, 16].map((at) => hash.readUInt32LE(at))].join('-');
}

export interface Access {
  owner: string | null;
  /** Everybody where there is no list at all. */
  others: string[];
}

/** Who may read or change what has this descriptor, besides the system, administrators, services, `self` and its owner. */
export function othersIn(sddl: string, self: string): Access {
  const owner = /^O:(S-[\d-]+|[A-Z]{2})/.exec(sddl)?.[1] ?? null;
  const at = sddl.indexOf('D:');
  // A list for auditing may follow, whose entries are of other types.
  const list = at < 0 ? '' : sddl.slice(at + 2);
  if (at < 0 || list.startsWith('NO_ACCESS_CONTROL')) return { owner, others: ['WD'] };
  const others = new Set<string>();
  // Entries that deny are not counted: their order decides, and nobody who is denied is allowed here either.
  for (const [, flags = '', rights = '', sid = ''] of list.matchAll(
    /\((?:A|XA|OA|ZA);([A-Z]*);([^;]*);[^;]*;[^;]*;(S-[\d-]+|[A-Z]{2})/g,
  )) {
    const inheritOnly = /^(?:..)*IO/.test(flags);
    if (inheritOnly || !mayUse(rights)) continue;
    if (sid === self || sid === owner || isTrusted(sid) || ownerRights.has(sid)) continue;
    others.add(sid);
  }
  return { owner, others: [...others] };
}

export function isTrusted(sid: string): boolean {
  return trusted.has(sid) || sid.startsWith(serviceSids);
}

/** Reading, writing, appending, deleting, and changing the list or the owner (winnt.h). */
const using = 0x1 | 0x2 | 0x4 | 0x10000 | 0x40000 | 0x80000;
/** GENERIC_ALL and its like are above all others. */
const generic = 0x1000_0000;
const usingWords = new Set(['GA', 'GR', 'GW', 'FA', 'FR', 'FW', 'CC', 'DC', 'LC', 'SD', 'WD', 'WO']);

function mayUse(rights: string): boolean {
  const mask = /^(?:0x[\da-f]+|\d+)$/i.test(rights) ? Number(rights) : null;
  if (mask !== null) return (mask & using) !== 0 || mask >= generic;
  return (rights.match(/../g) ?? []).some((word) => usingWords.has(word));
}
