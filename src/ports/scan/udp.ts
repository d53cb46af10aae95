// UDP scan on Node's own sockets, one connected socket a port: only then does the system tell which port refused.
import { createSocket, type Socket } from 'node:dgram';
import { familyOf } from '../../core/address.ts';
import { errorCode } from '../../core/errors.ts';
import type { PortAnswer, Prober, ScanTarget } from '../../system/index.ts';
import { createInbox } from './inbox.ts';
import { udpPayload } from './payloads.ts';

/** An ICMP port unreachable; Windows calls it a reset. */
const closedCodes = new Set(['ECONNREFUSED', 'ECONNRESET']);
const exhaustedCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EAGAIN']);

/** Silence is left to the loop: a service that has nothing to say to our datagram, or a packet that got lost. */
export function createUdpProber({ address }: ScanTarget): Prober {
  const sockets = new Map<number, Socket>();
  const inbox = createInbox();
  const type = familyOf(address.split('%')[0]!) === 'ipv6' ? 'udp6' : 'udp4';

  const end = (port: number, socket: Socket, answer: PortAnswer | 'full') => {
    if (sockets.get(port) !== socket) return;
    sockets.delete(port);
    socket.close();
    inbox.put(port, answer);
  };

  return {
    ask(port) {
      const socket = createSocket(type);
      sockets.set(port, socket);
      const failed = (error: Error | null) => {
        if (error === null) return;
        const code = errorCode(error) ?? '';
        end(port, socket, closedCodes.has(code) ? 'closed' : exhaustedCodes.has(code) ? 'full' : 'filtered');
      };
      socket.on('error', failed);
      socket.on('message', () => end(port, socket, 'open'));
      socket.connect(port, address, () => {
        if (sockets.get(port) !== socket) return;
        const own = socket.address();
        // Sent to itself, the datagram would come back as its own answer.
        if (own.port === port && own.address === socket.remoteAddress().address) end(port, socket, 'closed');
        else socket.send(udpPayload(port), failed);
      });
      return 'asked';
    },
    collect: inbox.collect,
    forget(port) {
      sockets.get(port)?.close();
      sockets.delete(port);
    },
    wait: inbox.wait,
    close() {
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}
