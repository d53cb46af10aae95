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
export function createUdpProber({ address, local }: ScanTarget): Prober {
  const sockets = new Map<number, Socket>();
  const inbox = createInbox();
  /** Local ports of the sockets above. Nobody else can have them, and two that ask each other would both answer. */
  const ownPorts = new Map<Socket, number>();
  const type = familyOf(address.split('%')[0]!) === 'ipv6' ? 'udp6' : 'udp4';

  const end = (port: number, socket: Socket, answer: PortAnswer | 'full') => {
    if (sockets.get(port) !== socket) return;
    drop(port, socket);
    inbox.put(port, answer);
  };
  const drop = (port: number, socket: Socket) => {
    sockets.delete(port);
    ownPorts.delete(socket);
    socket.close();
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
        ownPorts.set(socket, socket.address().port);
        if (local && [...ownPorts.values()].includes(port)) end(port, socket, 'closed');
        else socket.send(udpPayload(port), failed);
      });
      return 'asked';
    },
    collect: inbox.collect,
    forget(port) {
      const socket = sockets.get(port);
      if (socket) drop(port, socket);
    },
    wait: inbox.wait,
    close() {
      for (const [port, socket] of sockets) drop(port, socket);
    },
  };
}
