// Connect scan on Node's own sockets, for platforms without a faster way.
import { connect, type Socket } from 'node:net';
import { errorCode } from '../../core/errors.ts';
import type { PortAnswer, Prober, ScanTarget } from '../../system/index.ts';
import { createInbox } from './inbox.ts';

const closedCodes = new Set(['ECONNREFUSED', 'ECONNRESET']);
const exhaustedCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL', 'EAGAIN']);

export function createPortableProber({ address }: ScanTarget): Prober {
  const sockets = new Map<number, Socket>();
  const inbox = createInbox();
  const end = (port: number, socket: Socket, answer: PortAnswer | 'full') => {
    if (sockets.get(port) !== socket) return;
    sockets.delete(port);
    inbox.put(port, answer);
  };

  return {
    ask(port) {
      const socket = connect({ host: address, port });
      sockets.set(port, socket);
      socket.once('connect', () => {
        const self = socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
        // A reset leaves no TIME_WAIT behind, which thousands of connects would fill the table with.
        socket.resetAndDestroy();
        end(port, socket, self ? 'closed' : 'open');
      });
      socket.once('error', (error) => {
        const code = errorCode(error) ?? '';
        if (exhaustedCodes.has(code)) end(port, socket, 'full');
        else end(port, socket, closedCodes.has(code) ? 'closed' : 'filtered');
      });
      return 'asked';
    },
    collect: inbox.collect,
    forget(port) {
      sockets.get(port)?.destroy();
      sockets.delete(port);
    },
    wait: inbox.wait,
    close() {
      for (const socket of sockets.values()) socket.destroy();
      sockets.clear();
    },
  };
}
