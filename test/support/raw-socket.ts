// Sockets that Node cannot make: bound without listening, with exact options. For tests; closed by `using` or close().
import { addressBytes } from '../../src/core/address.ts';
import { checked, libc } from '../../src/ffi/index.ts';

export interface RawSocket {
  fd: number;
  protocol: 'tcp' | 'udp';
  address: string;
  port: number;
  close(): void;
  [Symbol.dispose](): void;
}

export interface RawOptions {
  protocol?: 'tcp' | 'udp';
  port?: number;
  reuse?: boolean;
  v6only?: boolean;
  /** Backlog; absent: it does not listen. */
  listen?: number;
}

export function rawSocket(address: string, options: RawOptions = {}): RawSocket {
  const isV6 = address.includes(':');
  const type = options.protocol === 'udp' ? 2 : 1;
  const fd = checked('socket', libc.socket(isV6 ? 10 : 2, type | 0o2000000, 0));
  const close = () => libc.close(fd);
  try {
    const set = (level: number, option: number, value: boolean) =>
      checked('setsockopt', libc.setsockopt(fd, level, option, Uint8Array.of(value ? 1 : 0, 0, 0, 0), 4));
    if (options.reuse !== undefined) set(1, 2, options.reuse);
    if (options.v6only !== undefined) set(41, 26, options.v6only);
    const sockaddr = Buffer.alloc(isV6 ? 28 : 16);
    sockaddr.writeUInt16LE(isV6 ? 10 : 2, 0);
    sockaddr.writeUInt16BE(options.port ?? 0, 2);
    sockaddr.set(addressBytes(address)!, isV6 ? 8 : 4);
    checked('bind', libc.bind(fd, sockaddr, sockaddr.length));
    if (options.listen !== undefined) checked('listen', libc.listen(fd, options.listen));
    checked('getsockname', libc.getsockname(fd, sockaddr, Uint8Array.of(sockaddr.length, 0, 0, 0)));
    let open = true;
    const closeOnce = () => {
      if (open) close();
      open = false;
    };
    const port = sockaddr.readUInt16BE(2);
    return {
      fd,
      protocol: options.protocol ?? 'tcp',
      address,
      port,
      close: closeOnce,
      [Symbol.dispose]: closeOnce,
    };
  } catch (error) {
    close();
    throw error;
  }
}
