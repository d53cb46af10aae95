// A Mac made of bytes: what its calls would give for processes and sockets written down in a test.
import koffi from 'koffi';
import type { MacCalls } from '../../src/ffi/index.ts';

export interface MadeSocket {
  fd: number;
  /** Also the same in several processes, for one that they share. */
  handle: bigint;
  family?: 2 | 30;
  kind?: number;
  protocol?: number;
  /** TSI_S_*. */
  state?: number;
  versions?: number;
  local: [bytes: number[], port: number];
  remote?: [bytes: number[], port: number];
}

export interface MadeProcess {
  pid: number;
  parent: number;
  group?: number;
  uid?: number;
  name: string;
  path?: string;
  start?: [seconds: number, microseconds: number];
  /** 5 is a zombie. */
  state?: number;
  command?: string[];
  environment?: string[];
  cwd?: string;
  sockets?: MadeSocket[];
  /** Another user's: its descriptors, arguments and folder are refused. */
  closed?: boolean;
}

/** struct socket_fdinfo, by the offsets that XNU's own headers give on arm64 and x86_64. */
export function socketBytes(made: MadeSocket): Uint8Array {
  const bytes = new Uint8Array(792);
  const view = new DataView(bytes.buffer);
  const tcp = (made.protocol ?? 6) === 6;
  view.setBigUint64(160, made.handle, true);
  view.setInt32(180, made.protocol ?? 6, true);
  view.setInt32(184, made.family ?? 2, true);
  view.setInt16(194, 3, true);
  view.setInt16(198, 511, true);
  view.setUint32(208, 70, true);
  view.setUint32(232, 80, true);
  view.setInt32(256, made.kind ?? (tcp ? 2 : 1), true);
  view.setUint8(264 + 24, made.versions ?? ((made.family ?? 2) === 2 ? 1 : 2));
  const end = (portAt: number, addressAt: number, [address, port]: [number[], number]) => {
    // An int whose first two bytes are the port in network order.
    view.setUint16(264 + portAt, port);
    bytes.set(address, 264 + addressAt + 16 - address.length);
  };
  end(4, 48, made.local);
  if (made.remote) end(0, 32, made.remote);
  if (tcp) view.setInt32(264 + 80, made.state ?? 1, true);
  return bytes;
}

/** struct kinfo_proc. */
export function processBytes(made: MadeProcess): Uint8Array {
  const bytes = new Uint8Array(648);
  const view = new DataView(bytes.buffer);
  const [seconds, microseconds] = made.start ?? [1_700_000_000, made.pid];
  view.setBigInt64(0, BigInt(seconds), true);
  view.setInt32(8, microseconds, true);
  view.setUint8(36, made.state ?? 2);
  view.setInt32(40, made.pid, true);
  bytes.set(Buffer.from(made.name).subarray(0, 16), 243);
  view.setUint32(420, made.uid ?? 501, true);
  view.setInt32(560, made.parent, true);
  view.setInt32(564, made.group ?? made.pid, true);
  return bytes;
}

export function argumentBytes({
  command = [],
  environment = [],
  path = '',
}: Partial<MadeProcess>): Uint8Array {
  const count = new Uint8Array(Int32Array.of(command.length).buffer);
  const texts = [...command, ...environment].map((text) => `${text}\0`).join('');
  // The kernel pads the path to a word.
  return Buffer.concat([count, Buffer.from(`${path}\0\0\0\0${texts}`)]);
}

const refused = 1;
const noSuch = 3;

/** Only what is asked of it, and errno as the kernel would set it. */
export function madeMac(processes: MadeProcess[], settings: Record<string, number> = {}): MacCalls {
  const find = (pid: number) => processes.find((one) => one.pid === pid);
  const fail = (errno: number, result: number) => {
    koffi.errno(errno);
    return result;
  };
  const readable = (pid: number) => {
    const found = find(pid);
    return found && !found.closed ? found : null;
  };
  return {
    proc_pidinfo(pid, flavor, _argument, buffer, size) {
      const found = readable(pid);
      if (!found) return fail(find(pid) ? refused : noSuch, 0);
      const into = buffer as Uint8Array;
      if (flavor === 9) {
        into.set(Buffer.from(found.cwd ?? ''), 152);
        return 2352;
      }
      const view = new DataView(into.buffer);
      const fds = [{ fd: 0, type: 1 }, ...(found.sockets ?? []).map(({ fd }) => ({ fd, type: 2 }))];
      const fit = fds.slice(0, Math.floor(size / 8));
      fit.forEach(({ fd, type }, i) => {
        view.setInt32(8 * i, fd, true);
        view.setUint32(8 * i + 4, type, true);
      });
      return 8 * fit.length;
    },
    proc_pidfdinfo(pid, fd, _flavor, buffer) {
      const made = readable(pid)?.sockets?.find((socket) => socket.fd === fd);
      if (!made) return fail(9, 0);
      (buffer as Uint8Array).set(socketBytes(made));
      return 792;
    },
    proc_pidpath(pid, buffer) {
      const { path } = find(pid) ?? {};
      if (path === undefined) return fail(noSuch, 0);
      (buffer as Uint8Array).set(Buffer.from(path));
      return path.length;
    },
    sysctl(name, count, old, oldSize) {
      const bytes = name as Uint8Array;
      const mib = new Int32Array(bytes.buffer, bytes.byteOffset, count);
      const size = new DataView((oldSize as Uint8Array).buffer);
      const give = (answer: Uint8Array) => {
        if (answer.length > Number(size.getBigUint64(0, true))) return fail(12, -1);
        (old as Uint8Array).set(answer);
        size.setBigUint64(0, BigInt(answer.length), true);
        return 0;
      };
      if (mib[1] === 8) return give(new Uint8Array(Int32Array.of(1 << 20).buffer));
      if (mib[1] === 49) return readable(mib[2]!) ? give(argumentBytes(find(mib[2]!)!)) : fail(22, -1);
      const wanted = mib[2] === 1 ? processes.filter(({ pid }) => pid === mib[3]) : processes;
      return give(Buffer.concat(wanted.map(processBytes)));
    },
    sysctlbyname(name, old) {
      const value = settings[name];
      if (value === undefined) return fail(2, -1);
      (old as Uint8Array).set(new Uint8Array(Int32Array.of(value).buffer));
      return 0;
    },
    getrlimit(_resource, limit) {
      (limit as Uint8Array).set(new Uint8Array(BigUint64Array.of(256n, (1n << 63n) - 1n).buffer));
      return 0;
    },
    fcntl: () => 0,
  };
}
