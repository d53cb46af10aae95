// Who has which socket open: one walk over every /proc/PID/fd by system calls, since this is where the time goes.
import { fstatSync } from 'node:fs';
import { callNumber, errno, errnoName, libc, type NativeMemory, nativeMemory } from '../../ffi/index.ts';
import type { Holders } from '../system.ts';
import { listPids } from './pids.ts';
import { createTurns } from './turns.ts';

const O_DIRECTORY = 0o200000;
const O_CLOEXEC = 0o2000000;

const entriesSize = 64 * 1024;
/** `socket:[` and twenty digits fit; longer targets are cut, and are no sockets. */
const targetSize = 64;

// struct linux_dirent64 (getdents64(2)): where its length and its name are.
const lengthAt = 16;
const nameAt = 19;

const isDigit = (code: number) => code >= 48 && code <= 57;

/** All holders of each id, since a socket may be shared by fork. Processes that end meanwhile are no error. */
export async function findHolders(ids: ReadonlySet<string>): Promise<Holders> {
  const pids = new Map<string, number[]>();
  let unreadable = 0;
  const walk = new Walk(ids);
  try {
    const turn = createTurns();
    const listed = listPids();
    for (const pid of listed) {
      const found = walk.socketsOf(pid);
      if (found === 'denied') unreadable += 1;
      else for (const id of found) pids.set(id, [...(pids.get(id) ?? []), pid]);
      await turn();
    }
    // Mounted with hidepid=2, /proc lists only what may be looked into. PID 1 exists in every PID namespace.
    if (!listed.includes(1)) unreadable += 1;
  } finally {
    walk.close();
  }
  return { pids, unreadable };
}

interface Findings {
  ids: Set<string>;
  /** Some descriptor would not be read. */
  denied: boolean;
}

class Walk {
  readonly #wanted: ReadonlyMap<number, string>;
  readonly #entries: NativeMemory = nativeMemory(entriesSize);
  readonly #target: NativeMemory = nativeMemory(targetSize);
  readonly #entriesBuffer: Buffer;

  constructor(ids: ReadonlySet<string>) {
    this.#wanted = new Map([...ids].map((id) => [Number(id), id]));
    const { buffer, byteOffset, byteLength } = this.#entries.bytes;
    this.#entriesBuffer = Buffer.from(buffer, byteOffset, byteLength);
  }

  /** The wanted sockets that a process has open. Empty where it is gone. */
  socketsOf(pid: number): ReadonlySet<string> | 'denied' {
    const findings: Findings = { ids: new Set(), denied: false };
    const folder = libc.open(`/proc/${pid}/fd`, O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return isDenial(errno()) ? 'denied' : findings.ids;
    try {
      if (!this.#readInOrder(folder, findings)) this.#readListed(folder, findings);
    } finally {
      libc.close(folder);
    }
    return findings.denied && findings.ids.size === 0 ? 'denied' : findings.ids;
  }

  /**
   * Descriptors are mostly numbered without gaps, and asking for one after the other spares a third of the time:
   * that of listing them. Since Linux 6.2 the folder's size is their number. False where that is unknown or gaps abound.
   */
  #readInOrder(folder: number, findings: Findings): boolean {
    let left = sizeOf(folder);
    if (left === 0) return false;
    let gaps = 4 + (left >> 4);
    for (let fd = 0; left > 0; fd++) {
      if (this.#readOne(folder, String(fd), findings)) left -= 1;
      else if (--gaps < 0) return false;
    }
    return true;
  }

  #readListed(folder: number, findings: Findings): void {
    const entries = this.#entriesBuffer;
    for (;;) {
      const size = libc.syscall(callNumber.getdents64, folder, this.#entries.pointer, entriesSize);
      if (size <= 0) return;
      for (let at = 0; at < size; at += entries.readUInt16LE(at + lengthAt)) {
        if (!isDigit(entries[at + nameAt]!)) continue;
        const name = entries.toString('latin1', at + nameAt, entries.indexOf(0, at + nameAt));
        this.#readOne(folder, name, findings);
      }
    }
  }

  /** False where there is no such descriptor. */
  #readOne(folder: number, name: string, findings: Findings): boolean {
    const length = libc.readlinkat(folder, name, this.#target.pointer, targetSize);
    if (length >= 0) this.#collect(length, findings.ids);
    else if (isDenial(errno())) findings.denied = true;
    else return false;
    return true;
  }

  /** Reads the target `socket:[INODE]`. */
  #collect(length: number, found: Set<string>): void {
    const bytes = this.#target.bytes;
    if (length < 10 || bytes[0] !== 115 || bytes[6] !== 58) return;
    let inode = 0;
    for (let i = 8; i < length - 1; i++) inode = inode * 10 + bytes[i]! - 48;
    const id = this.#wanted.get(inode);
    if (id !== undefined) found.add(id);
  }

  close(): void {
    this.#entries.free();
    this.#target.free();
  }
}

/** 0 where the process is gone. */
function sizeOf(folder: number): number {
  try {
    return fstatSync(folder).size;
  } catch {
    return 0;
  }
}

function isDenial(number: number): boolean {
  const name = errnoName(number);
  return name === 'EACCES' || name === 'EPERM';
}
