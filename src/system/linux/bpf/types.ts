// BTF (the kernel's Documentation/bpf/btf.rst): the few types that our program reads, for the kernel to compare with its own. Pure.

const kindOf = { int: 1, pointer: 2, struct: 4, function: 12, prototype: 13 } as const;
const signed = 1 << 24;

/** What a member may be: where the kernel's own is longer or signed otherwise, it refuses the program. */
export const kinds = {
  int: { size: 4, of: signed | 32 },
  'unsigned int': { size: 4, of: 32 },
  'unsigned long': { size: 8, of: 64 },
} as const;
export type Kind = keyof typeof kinds | 'pointer';

/** Members by name. Offsets are of no importance: the kernel replaces ours by its own. */
export type Structs = { readonly [Struct in string]: { readonly [Member in string]: Kind } };

export interface Member {
  /** Number of the struct's type. */
  type: number;
  size: 4 | 8;
  /** Where it is in our own struct. */
  offset: number;
  /** Where the text is that says which member is meant. */
  access: number;
}

export interface Types {
  bytes: Uint8Array;
  /** Number of the type of the function that the program is. */
  entry: number;
  member(struct: string, name: string): Member;
}

export function encodeTypes(structs: Structs, entry: string): Types {
  const strings = new Strings();
  const words: number[] = [];
  let count = 0;
  const add = (
    name: string,
    kind: keyof typeof kindOf,
    members: number,
    size: number,
    more: number[],
  ): number => {
    words.push(strings.at(name), ((kindOf[kind] << 24) | members) >>> 0, size, ...more);
    count += 1;
    return count;
  };
  const numbers = new Map<Kind, number>();
  for (const [name, { size, of }] of Object.entries(kinds))
    numbers.set(name as Kind, add(name, 'int', 0, size, [of]));
  const pointer = add('', 'pointer', 0, 0, []);
  numbers.set('pointer', pointer);
  const members = new Map<string, Member>();
  for (const [struct, fields] of Object.entries(structs)) {
    const list = Object.entries(fields);
    const more = list.flatMap(([name, kind], i) => [strings.at(name), numbers.get(kind)!, i * 64]);
    const type = add(struct, 'struct', list.length, 8 * list.length, more);
    list.forEach(([name, kind], i) => {
      const size = kind === 'pointer' ? 8 : kinds[kind].size;
      members.set(`${struct}.${name}`, { type, size, offset: i * 8, access: strings.at(`0:${i}`) });
    });
  }
  const prototype = add('', 'prototype', 1, numbers.get('int')!, [strings.at('context'), pointer]);
  // Linkage "global" (1): a static one would have to be called by somebody.
  const number = add(entry, 'function', 1, prototype, []);
  return {
    bytes: assemble(new Uint8Array(Uint32Array.from(words).buffer), strings.bytes()),
    entry: number,
    member(struct, name) {
      const found = members.get(`${struct}.${name}`);
      if (!found) throw new RangeError(`no member ${struct}.${name}`);
      return found;
    },
  };
}

/** Texts with a zero byte after each; the first is empty. */
class Strings {
  readonly #at = new Map([['', 0]]);
  #size = 1;

  at(text: string): number {
    const known = this.#at.get(text);
    if (known !== undefined) return known;
    const at = this.#size;
    this.#at.set(text, at);
    this.#size += text.length + 1;
    return at;
  }

  bytes(): Uint8Array {
    return Buffer.from([...this.#at.keys()].map((text) => `${text}\0`).join(''), 'latin1');
  }
}

const headerSize = 24;
const magic = 0xeb9f;

function assemble(types: Uint8Array, strings: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerSize + types.length + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, magic, true);
  view.setUint8(2, 1);
  view.setUint32(4, headerSize, true);
  view.setUint32(12, types.length, true);
  view.setUint32(16, types.length, true);
  view.setUint32(20, strings.length, true);
  bytes.set(types, headerSize);
  bytes.set(strings, headerSize + types.length);
  return bytes;
}
