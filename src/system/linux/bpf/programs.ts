// The two programs that run in the kernel: one finds a function of the kernel by name, one tells who has which socket open. Pure.
import { Assembler, type Program } from './assembler.ts';
import { encodeTypes, type Types } from './types.ts';

/** The kernel calls it with each open file of each process (kernel/bpf/task_iter.c). */
const target = 'bpf_iter_task_file';

// Helpers, by their numbers in linux/bpf.h.
const BPF_seq_write = 127;
const BPF_btf_find_by_name_kind = 167;

const BTF_KIND_FUNC = 12;
/** `SOCK` of linux/magic.h: also a socket's name in a folder has S_IFSOCK, and a number of its own that says nothing. */
const SOCKFS_MAGIC = 0x534f434b;

/** One record: the socket's inode and the process, eight bytes each. */
export const recordSize = 16;

/** Returns the number of the type of `target`, by which a program says where it belongs. */
export function finder(): Program {
  const room = -24;
  return new Assembler()
    .pushText(room, target)
    .copy(1, 10)
    .increase(1, room)
    .set(2, target.length + 1)
    .set(3, BTF_KIND_FUNC)
    .set(4, 0)
    .call(BPF_btf_find_by_name_kind)
    .exit()
    .program();
}

/** What is read of the kernel's structures, since long before Linux 5.8, which is the first with this iterator. */
export function ownTypes(): Types {
  return encodeTypes(
    {
      bpf_iter_meta: { seq: 'pointer' },
      super_block: { s_magic: 'unsigned long' },
      inode: { i_sb: 'pointer', i_ino: 'unsigned long' },
      file: { f_inode: 'pointer' },
      task_struct: { tgid: 'int' },
      bpf_iter__task_file: { meta: 'pointer', task: 'pointer', file: 'pointer' },
    },
    'tell_sockets',
  );
}

/**
 * Writes a record for each socket. Reading through a pointer that is NULL gives 0 where the kernel knows its type,
 * so only what may be NULL by its type is looked at first. Called once more at the end, with neither task nor file.
 */
export function teller(types: Types): Program {
  return new Assembler(types)
    .copy(6, 1)
    .read(7, 6, 'bpf_iter__task_file', 'file')
    .endIf(7, 0)
    .read(8, 6, 'bpf_iter__task_file', 'task')
    .endIf(8, 0)
    .read(7, 7, 'file', 'f_inode')
    .read(1, 7, 'inode', 'i_sb')
    .read(1, 1, 'super_block', 's_magic')
    .endUnless(1, SOCKFS_MAGIC)
    .read(1, 7, 'inode', 'i_ino')
    .push(-16, 1)
    .read(1, 8, 'task_struct', 'tgid')
    .push(-8, 1)
    .read(1, 6, 'bpf_iter__task_file', 'meta')
    .read(1, 1, 'bpf_iter_meta', 'seq')
    .copy(2, 10)
    .increase(2, -recordSize)
    .set(3, recordSize)
    .call(BPF_seq_write)
    .end()
    .program();
}

/** Records as the kernel wrote them; each process once, though it may have a socket open more than once. */
export function readRecords(
  bytes: Uint8Array,
  wanted: ReadonlyMap<number, string>,
  pids: Map<string, number[]>,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + recordSize <= bytes.length; at += recordSize) {
    // Inodes of sockets have 32 bits (get_next_ino), as the socket table has them.
    const id = wanted.get(view.getUint32(at, true));
    if (id === undefined) continue;
    const pid = view.getUint32(at + 8, true);
    const known = pids.get(id);
    if (known === undefined) pids.set(id, [pid]);
    else if (!known.includes(pid)) known.push(pid);
  }
}
