// SYN scan: packets of our own over a raw socket. The kernel knows nothing of them and resets what answers.
import { constants } from 'node:os';
import { OsError, ReeveError } from '../../../core/errors.ts';
import { addressOf, checked, errno, libc, socketCalls } from '../../../ffi/index.ts';
import type { PortAnswer, Prober, ScanTarget } from '../../scanner.ts';
import { encodeAddress } from '../bound.ts';
import { createMessages } from './messages.ts';
import { addressIn, ownEnd, portIn } from './own-end.ts';
import { createSynWriter, readReply, synLength } from './packet.ts';
import { createWake } from './wake.ts';

const SOCK_STREAM = 1;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_TCP = 6;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_RCVBUFFORCE = 33;
const MSG_DONTWAIT = 0x40;

const batch = 64;
/** A packet that fails so often in a row is itself refused, by the local firewall or for want of a route. */
const maxFailures = 4;
/** The longest IPv4 header and the longest TCP header. */
const largestReply = 120;
/** Replies of some ten thousand ports, at a kernel's own size of each. */
const receiveBuffer = 8 * 1024 * 1024;

const { errno: code } = constants;
const congested = new Set([code.EAGAIN, code.ENOBUFS, code.ENOMEM]);

/** @throws ReeveError `privilege` where raw sockets need more than this user has. */
export function createSynProber({ address, local }: ScanTarget): Prober {
  const { family, sockaddr } = encodeAddress(address, 0);
  const domain = new DataView(sockaddr.buffer).getUint16(0, true);
  const raw = openRaw(domain);
  let reserved = -1;
  let own: Uint8Array;
  try {
    // Connected, it takes packets of this address alone, and knows which of our addresses they come to.
    checked('connect', libc.connect(raw, sockaddr, sockaddr.length));
    own = ownEnd(raw, sockaddr.length);
    own.fill(0, 2, 4);
    // Bound and never listening: nobody else gets this port, and the kernel resets whatever answers to it.
    reserved = checked('socket', libc.socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0));
    checked('bind', libc.bind(reserved, own, own.length));
    own = ownEnd(reserved, own.length);
    takeOnly(raw, portIn(own), family === 'ipv4');
  } catch (error) {
    libc.close(raw);
    if (reserved >= 0) libc.close(reserved);
    throw refusal(error);
  }
  const size = new Uint8Array(Int32Array.of(receiveBuffer).buffer);
  libc.setsockopt(raw, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length);

  const ownPort = portIn(own);
  const syn = createSynWriter(addressIn(own), addressIn(sockaddr), ownPort);
  /** A sequence number a port, by chance: only who has seen our packet can acknowledge it. */
  const cookies = randomNumbers(65_536);
  const outgoing = createMessages(batch, synLength);
  const incoming = createMessages(batch, largestReply);
  const wake = createWake(raw);
  const batched: number[] = [];
  let answers: [number, PortAnswer | 'full'][] = [];

  function flush(): void {
    let sent = 0;
    let failures = 0;
    while (sent < batched.length) {
      const left = batched.length - sent;
      const count = socketCalls.sendmmsg(raw, outgoing.pointerTo(sent), left, MSG_DONTWAIT);
      if (count > 0) {
        sent += count;
        failures = 0;
        continue;
      }
      if (congested.has(errno())) {
        for (const port of batched.slice(sent)) answers.push([port, 'full']);
        break;
      }
      // A failure may be an ICMP error about an earlier packet, which is told here once.
      if (++failures === maxFailures) {
        answers.push([batched[sent]!, 'filtered']);
        sent += 1;
        failures = 0;
      }
    }
    batched.length = 0;
    drain();
  }

  function drain(): void {
    let count: number;
    do {
      count = socketCalls.recvmmsg(raw, incoming.pointer, batch, MSG_DONTWAIT, null);
      for (let i = 0; i < count; i++) {
        const at = i * incoming.stride;
        const reply = readReply(incoming.bytes.subarray(at, at + incoming.lengthOf(i)), family === 'ipv4');
        if (reply === null || reply.ownPort !== ownPort) continue;
        if (reply.acknowledged !== (cookies[reply.port]! + 1) >>> 0) continue;
        answers.push([reply.port, reply.answer]);
      }
    } while (count === batch);
  }

  return {
    ask(port) {
      // Held by the reserving socket, which does not listen.
      if (local && port === ownPort) return 'closed';
      syn.write(outgoing.bytes, batched.length * synLength, port, cookies[port]!);
      if (batched.push(port) === batch) flush();
      return 'asked';
    },
    collect(heard) {
      flush();
      const now = answers;
      answers = [];
      for (const [port, answer] of now) heard(port, answer);
    },
    // A late answer is still a right one: it is taken as long as the loop waits for that port.
    forget() {},
    wait: wake.wait,
    close() {
      wake.close();
      libc.close(raw);
      libc.close(reserved);
      outgoing.free();
      incoming.free();
    },
  };
}

/** The global crypto is loaded at its first use, unlike a module that is imported. It fills 65,536 bytes at a time. */
function randomNumbers(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  const step = 65_536 / numbers.BYTES_PER_ELEMENT;
  for (let at = 0; at < count; at += step) crypto.getRandomValues(numbers.subarray(at, at + step));
  return numbers;
}

function openRaw(domain: number): number {
  try {
    return checked('socket', libc.socket(domain, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  } catch (error) {
    throw refusal(error);
  }
}

/** Raw sockets, and in some sandboxes filters too, are for root. Other errors stay what they are. */
function refusal(error: unknown): unknown {
  if (!(error instanceof OsError) || ![code.EPERM, code.EACCES].includes(error.errno)) return error;
  return new ReeveError('privilege', 'cannot scan by SYN packets: raw sockets need root (CAP_NET_RAW)', {
    hint: 'Use --method connect, which needs no privilege',
    cause: error,
  });
}

/** Classic BPF (socket(7)): only packets to our port. Raw IPv4 sockets see the IP header before it, IPv6 ones do not. */
function takeOnly(fd: number, port: number, afterHeader: boolean): void {
  const load = afterHeader
    ? [
        [0xb1, 0, 0, 0], // x ← 4 × (byte 0 & 15), the header's length
        [0x48, 0, 0, 2], // a ← 16 bits at x + 2
      ]
    : [[0x28, 0, 0, 2]]; // a ← 16 bits at 2
  const steps = [...load, [0x15, 0, 1, port], [0x06, 0, 0, 0xffff], [0x06, 0, 0, 0]];
  const program = new Uint8Array(16 + steps.length * 8);
  const view = new DataView(program.buffer);
  view.setUint16(0, steps.length, true);
  view.setBigUint64(8, addressOf(program) + 16n, true);
  steps.forEach(([operation, yes, no, value], i) => {
    view.setUint16(16 + i * 8, operation!, true);
    view.setUint8(18 + i * 8, yes!);
    view.setUint8(19 + i * 8, no!);
    view.setUint32(20 + i * 8, value!, true);
  });
  checked('setsockopt', libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, 16));
}
