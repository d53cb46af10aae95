// Verified listening for UDP: a datagram with a content of its own is sent to each advertised address, and has to arrive here.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { familyOf } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { errorCode } from '../core/errors.ts';
import type { DatagramBinding } from './binding.ts';
import { BoundDatagrams } from './datagrams.ts';
import {
  type Answer,
  advertised,
  defaultTimeoutMs,
  notApplicable,
  sumUp,
  type Verification,
} from './verify.ts';

/** One may be lost where the socket's buffer is full at this moment. */
const sendEveryMs = 250;

/** It never reaches a target or a sink, however late it comes. */
export async function verifyDatagrams(
  binding: DatagramBinding,
  signal: AbortSignal,
  timeoutMs = defaultTimeoutMs,
): Promise<Verification> {
  if (!(binding instanceof BoundDatagrams))
    return { verified: null, words: ['not a socket of this process'] };
  const release = binding.hold();
  try {
    const answers: Answer[] = [];
    for (const host of advertised(binding)) answers.push(await tellItself(binding, host, signal, timeoutMs));
    return sumUp(binding, answers);
  } finally {
    release();
  }
}

function tellItself(
  binding: BoundDatagrams,
  host: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Answer> {
  const where = `udp://${formatHostPort(host, binding.port)}`;
  const content = randomBytes(24);
  return new Promise((resolve) => {
    const socket = createSocket(familyOf(host) === 'ipv6' ? 'udp6' : 'udp4');
    let over = false;
    const settle = (seen: boolean | null, words: string) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      clearInterval(again);
      signal.removeEventListener('abort', cancelled);
      socket.close();
      if (binding.listening()) resolve({ seen, words });
      else resolve({ seen: null, words: `${where} was closed meanwhile` });
    };
    const failed = (error: Error) => {
      const code = errorCode(error) ?? 'an error';
      if (notApplicable.has(code)) settle(null, `${where} was not tried: this machine lacks it (${code})`);
      else settle(false, `${where} could not be sent to (${code})`);
    };
    const cancelled = () => settle(null, `${where} was not tried to the end: cancelled`);
    const send = () => {
      if (!over) socket.send(content, binding.port, host, (error) => error && failed(error));
    };
    const timer = setTimeout(
      () => settle(false, `somebody else has ${where}: what was sent there did not arrive at this listener`),
      timeoutMs,
    );
    const again = setInterval(send, sendEveryMs);
    signal.addEventListener('abort', cancelled, { once: true });
    socket.on('error', failed);
    binding.expect(content, () => settle(true, `${where} reaches this listener`));
    if (signal.aborted) cancelled();
    else send();
  });
}
