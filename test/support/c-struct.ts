// Structures as a C compiler lays them out on 64 bits: to hold decoders against headers rather than against themselves.
import koffi, { type TypeObject } from 'koffi';

export type Fields = Record<string, string | TypeObject>;

/** Natural alignment, which the ABIs of Windows and macOS share on x64 and arm64 for these types. */
export function cStruct(fields: Fields): TypeObject {
  return koffi.struct(fields);
}

export function bytes(count: number): TypeObject {
  return koffi.array('uint8_t', count, 'Array');
}

/** Fields that are not named are zero; names of inner structures are objects in turn. */
export function encoded(type: TypeObject, values: Record<string, unknown>): Uint8Array {
  const size = koffi.sizeof(type);
  const pointer = koffi.alloc('uint8_t', size);
  const into = new Uint8Array(koffi.view(pointer, size));
  into.fill(0);
  put(pointer, 0, type, values);
  const copy = into.slice();
  koffi.free(pointer);
  return copy;
}

function put(pointer: unknown, base: number, type: TypeObject, values: Record<string, unknown>): void {
  const members = type.members as Record<string, { type: TypeObject; offset: number }>;
  for (const [name, value] of Object.entries(values)) {
    const { type: inner, offset } = members[name]!;
    if (inner.primitive === 'Record') put(pointer, base + offset, inner, value as Record<string, unknown>);
    else koffi.encode(pointer, base + offset, inner, value);
  }
}
