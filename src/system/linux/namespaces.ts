// Other network namespaces: which there are, and opening a socket inside one.
import { readlinkSync, writeSync } from 'node:fs';
import { errorCode, OsError } from '../../core/errors.ts';
import { checked, libc } from '../../ffi/index.ts';
import { listPids } from './pids.ts';

const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x40000000;

export interface Namespace {
  /** `net:[4026532281]` */
  name: string;
  /** A process that lives in it. */
  pid: number;
}

export interface Namespaces {
  namespaces: Namespace[];
  /** Processes that do not let their namespace be seen. */
  hidden: number;
}

/** Every network namespace but our own that some process lives in. */
export function otherNamespaces(): Namespaces {
  const seen = new Set([readlinkSync('/proc/thread-self/ns/net')]);
  const result: Namespaces = { namespaces: [], hidden: 0 };
  for (const pid of listPids()) {
    try {
      const name = readlinkSync(`/proc/${pid}/ns/net`);
      if (seen.has(name)) continue;
      seen.add(name);
      result.namespaces.push({ name, pid });
    } catch (error) {
      // ENOENT: it ended. What remains hides itself.
      const code = errorCode(error);
      if (code === 'EACCES' || code === 'EPERM') result.hidden += 1;
    }
  }
  return result;
}

/**
 * Runs `open` with this thread inside the namespace. Synchronous, so that nothing else of the program runs there.
 * @throws OsError where the namespace may not be entered (setns needs CAP_SYS_ADMIN) or is gone.
 */
export function openInNamespace<Result>(namespace: Namespace, open: () => Result): Result {
  const home = checked('open', libc.open('/proc/thread-self/ns/net', O_RDONLY | O_CLOEXEC));
  try {
    const there = checked('open', libc.open(`/proc/${namespace.pid}/ns/net`, O_RDONLY | O_CLOEXEC));
    try {
      checked('setns', libc.setns(there, CLONE_NEWNET));
    } finally {
      libc.close(there);
    }
    try {
      return open();
    } finally {
      returnHome(home);
    }
  } finally {
    libc.close(home);
  }
}

function returnHome(home: number): void {
  try {
    checked('setns', libc.setns(home, CLONE_NEWNET));
  } catch (error) {
    // Going on would bind and connect in a stranger's network. There is no way back, and nobody may catch this.
    const why = error instanceof OsError ? error.code : String(error);
    writeSync(2, `reeve: cannot return to its own network namespace (${why}); stopping at once\n`);
    libc.abort();
  }
}
