// Instructions of BPF (the kernel's Documentation/bpf/standardization/instruction-set.rst) as bytes. Pure.
import type { Types } from './types.ts';

/** r0 is what a call returns, r1 to r5 are its arguments, r6 to r9 survive it, r10 is the end of the stack. */
export type Register = 0 | 1 | 2 | 3 | 4 | 6 | 7 | 8 | 10;

export interface Program {
  code: Uint8Array;
  /** struct bpf_core_relo: which instruction reads which member. */
  relocations: Uint8Array;
}

const instructionSize = 8;
/** BPF_CORE_FIELD_BYTE_OFFSET. */
const byteOffset = 0;

export class Assembler {
  readonly #code: [operation: number, registers: number, offset: number, value: number][] = [];
  readonly #relocations: number[] = [];
  readonly #toEnd: number[] = [];
  readonly #types: Types | null;

  constructor(types: Types | null = null) {
    this.#types = types;
  }

  set(to: Register, value: number): this {
    return this.#add(0xb7, to, 0, 0, value);
  }

  copy(to: Register, from: Register): this {
    return this.#add(0xbf, to, from, 0, 0);
  }

  increase(to: Register, value: number): this {
    return this.#add(0x07, to, 0, 0, value);
  }

  /** Reads a member of what `from` points to. The kernel puts its own offset in. */
  read(to: Register, from: Register, struct: string, name: string): this {
    const { type, access, size, offset } = this.#types!.member(struct, name);
    this.#relocations.push(this.#code.length * instructionSize, type, access, byteOffset);
    return this.#add(size === 8 ? 0x79 : 0x61, to, from, offset, 0);
  }

  /** Eight bytes onto the stack, `at` below its end. */
  push(at: number, from: Register): this {
    return this.#add(0x7b, 10, from, at, 0);
  }

  /** A text onto the stack, filled up with zero bytes to a multiple of four. */
  pushText(at: number, text: string): this {
    const bytes = Buffer.alloc((text.length + 4) & ~3);
    bytes.write(text, 'latin1');
    for (let i = 0; i < bytes.length; i += 4) this.#add(0x62, 10, 0, at + i, bytes.readInt32LE(i));
    return this;
  }

  /** On to `end` where the register has this value, or has it not. */
  endIf(register: Register, value: number): this {
    this.#toEnd.push(this.#code.length);
    return this.#add(0x15, register, 0, 0, value);
  }

  endUnless(register: Register, value: number): this {
    this.#toEnd.push(this.#code.length);
    return this.#add(0x55, register, 0, 0, value);
  }

  call(helper: number): this {
    return this.#add(0x85, 0, 0, 0, helper);
  }

  /** Returns 0. */
  end(): this {
    for (const at of this.#toEnd) this.#code[at]![2] = this.#code.length - at - 1;
    return this.set(0, 0).exit();
  }

  exit(): this {
    return this.#add(0x95, 0, 0, 0, 0);
  }

  program(): Program {
    const code = new Uint8Array(this.#code.length * instructionSize);
    const view = new DataView(code.buffer);
    this.#code.forEach(([operation, registers, offset, value], i) => {
      view.setUint8(i * instructionSize, operation);
      view.setUint8(i * instructionSize + 1, registers);
      view.setInt16(i * instructionSize + 2, offset, true);
      view.setInt32(i * instructionSize + 4, value, true);
    });
    return { code, relocations: new Uint8Array(Uint32Array.from(this.#relocations).buffer) };
  }

  #add(operation: number, to: Register, from: Register, offset: number, value: number): this {
    this.#code.push([operation, to | (from << 4), offset, value]);
    return this;
  }
}
