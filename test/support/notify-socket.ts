// systemd's end of sd_notify: a datagram socket that keeps what it is told, in order.
import { checked, libc } from '../../src/ffi/index.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

export interface NotifySocket extends Disposable {
  /** Each message as its fields, in the order in which they came. */
  messages(): Record<string, string>[];
}

/** `address` is a path, or `@` and an abstract name. */
export function notifySocket(address: string): NotifySocket {
  const fd = checked('socket', libc.socket(AF_UNIX, SOCK_DGRAM, 0));
  const name = Buffer.from(address.replace(/^@/, '\0'));
  const sockaddr = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
  checked('bind', libc.bind(fd, sockaddr, sockaddr.length));
  const heard: Record<string, string>[] = [];
  return {
    messages() {
      const buffer = new Uint8Array(4096);
      for (;;) {
        const size = libc.recv(fd, buffer, buffer.length, MSG_DONTWAIT);
        if (size < 0) return heard;
        const lines = Buffer.from(buffer.subarray(0, size)).toString().split('\n');
        heard.push(
          Object.fromEntries(lines.map((line) => [line.split('=', 1)[0]!, line.replace(/^[^=]*=/, '')])),
        );
      }
    },
    [Symbol.dispose]: () => void libc.close(fd),
  };
}
