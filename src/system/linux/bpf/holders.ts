// Who has which socket open, told by a BPF program that the kernel calls with every open file: as root, since Linux 5.17.
import { read, readFileSync, readlinkSync, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { errorCode } from '../../../core/errors.ts';
import { bpf, libc } from '../../../ffi/index.ts';
import {
  command,
  createIterator,
  createLink,
  Input,
  loadFinder,
  loadTeller,
  loadTypes,
  returned,
  runProgram,
} from './attributes.ts';
import { finder, ownTypes, readRecords, teller } from './programs.ts';

/** The number of the PID namespace that the machine started with, on every kernel (PROC_PID_INIT_INO). */
const firstPidNamespace = 'pid:[4026531836]';
/** The kernel gives at most 32 KiB at once (bpf_seq_read: eight pages). */
const answerSize = 64 * 1024;

/** The kernel goes through so many in some 10 ms, which others can wait: the walk takes turns of that length, too. */
const fewFiles = 50_000;

export type BpfCall = typeof bpf;

// Closed by libc: in a thread, fs.closeSync warns of descriptors that fs has not opened (trackUnmanagedFds).

/** All holders of each id; null where the kernel does not tell. */
export type KernelHolders = (ids: ReadonlySet<string>) => Promise<Map<string, number[]> | null>;

/**
 * What is loaded is there for one question: to keep it would be quicker by a millisecond, and cost a descriptor for
 * each System that a program makes.
 */
export function createKernelHolders(call: BpfCall = bpf, openFiles = countOpenFiles): KernelHolders {
  /** The type that the program belongs to; undefined before the first question, null where the kernel refused. */
  let target: number | null | undefined;
  return async (ids) => {
    if (target === null) return null;
    let iterator: number;
    try {
      target ??= findTarget(call);
      iterator = start(call, target);
    } catch {
      // The walk through /proc, which then answers, has errors of its own.
      target = null;
      return null;
    }
    try {
      return await readAll(iterator, ids, openFiles() <= fewFiles ? readHere : readAside);
    } catch {
      return null;
    } finally {
      libc.close(iterator);
    }
  };
}

/** @throws where it is refused. */
function findTarget(call: BpfCall): number {
  // Its PIDs are those of the first namespace. In another they would be wrong, and only /proc has the right ones.
  if (readlinkSync('/proc/self/ns/pid') !== firstPidNamespace) throw new Error('in another PID namespace');
  const input = new Input();
  try {
    const program = call(command.loadProgram, loadFinder(input, finder()));
    try {
      const run = runProgram(program);
      call(command.runProgram, run);
      return returned(run);
    } finally {
      libc.close(program);
    }
  } finally {
    input.free();
  }
}

/** @returns the descriptor of an iterator, which keeps all else alive. @throws where anything is refused. */
function start(call: BpfCall, target: number): number {
  const input = new Input();
  const opened: number[] = [];
  const keep = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  try {
    const types = ownTypes();
    const loaded = keep(call(command.loadTypes, loadTypes(input, types)));
    const tell = { program: teller(types), types, loaded, target };
    const program = keep(call(command.loadProgram, loadTeller(input, tell)));
    const link = keep(call(command.createLink, createLink(program)));
    return call(command.createIterator, createIterator(link));
  } finally {
    for (const fd of opened) libc.close(fd);
    input.free();
  }
}

type Read = (fd: number, into: Uint8Array) => number | Promise<number>;

const readHere: Read = (fd, into) => readSync(fd, into);

/** On a thread of the pool. For a short command that would be two changes of threads for nothing. */
const readAside: Read = async (fd, into) => (await promisify(read)(fd, into, 0, into.length, null)).bytesRead;

async function readAll(
  iterator: number,
  ids: ReadonlySet<string>,
  readSome: Read,
): Promise<Map<string, number[]>> {
  const wanted = new Map([...ids].map((id) => [Number(id), id]));
  const pids = new Map<string, number[]>();
  const answer = new Uint8Array(answerSize);
  for (;;) {
    try {
      const size = await readSome(iterator, answer);
      if (size === 0) break;
      readRecords(answer.subarray(0, size), wanted, pids);
    } catch (error) {
      // After a million files without a socket it comes back for breath (bpf_seq_read).
      if (errorCode(error) !== 'EAGAIN') throw error;
    }
  }
  // The order of /proc: threads with descriptors of their own come where their own number is.
  for (const found of pids.values()) found.sort((a, b) => a - b);
  return pids;
}

/** Of the whole machine (proc_sys_fs(5)). */
function countOpenFiles(): number {
  return Number.parseInt(readFileSync('/proc/sys/fs/file-nr', 'utf8'), 10);
}
