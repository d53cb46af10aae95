// udp://host:port: an answer is up, "port unreachable" is down; silence says nothing, unless an answer is expected.
import { createSocket, type Socket } from 'node:dgram';
import { familyOf } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { ProbeUrl } from '../core/probe-url.ts';
import { resolve as resolveName } from './connect.ts';
import { bytesOf, excerpt, matcherOf } from './expectation.ts';
import { type Attempt, fail, failureAt, type Outcome, ProbeFailure } from './outcome.ts';
import { settled } from './settled.ts';

/** One of each family: a datagram to a third address tells no more. */
const maxAddresses = 2;

export async function probeUdp({ host, port }: ProbeUrl, attempt: Attempt, signal: AbortSignal) {
  attempt.phase = 'looking up the name';
  const addresses = (await resolveName(host, signal)).slice(0, maxAddresses);
  attempt.phase = 'waiting for the answer';
  const shown = addresses.map((address) => formatHostPort(address, port)).join(', ');
  if (attempt.expect === undefined) {
    const detail = `no answer from ${shown}: a UDP server may be silent, so this says nothing; set expect to demand one`;
    attempt.onTimeout = { verdict: 'unknown', reason: 'silent', detail };
  } else attempt.onTimeout = { verdict: 'down', reason: 'silent', detail: `no answer from ${shown}` };
  return ask(addresses, port, attempt, signal);
}

function ask(addresses: string[], port: number, attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
  const payload = bytesOf(attempt.send ?? '');
  const matches = attempt.expect === undefined ? null : matcherOf(attempt.expect);
  return settled<Outcome>(signal, ({ resolve, reject }) => {
    const sockets: Socket[] = [];
    const failures: Outcome[] = [];
    const lose = (outcome: Outcome) => {
      failures.push(outcome);
      if (failures.length < addresses.length) return;
      const first = failures.find(({ verdict }) => verdict === 'unknown') ?? failures[0]!;
      reject(new ProbeFailure({ ...first, detail: failures.map(({ detail }) => detail).join(', ') }));
    };
    for (const one of addresses) {
      const address = formatHostPort(one, port);
      const socket = createSocket(familyOf(one) === 'ipv6' ? 'udp6' : 'udp4');
      sockets.push(socket);
      let lost = false;
      const failed = (error: Error) => {
        if (!lost) lose(failureAt(error, one, port));
        lost = true;
      };
      socket.on('error', failed);
      socket.on('message', (answer) => {
        if (matches && !matches(answer)) {
          const detail = `${address} did not answer as expected, but ${excerpt(answer)}`;
          reject(fail('mismatch', detail, { address, matched: false }));
          return;
        }
        const facts = { address, ...(matches && { matched: true }) };
        resolve({ verdict: 'up', reason: null, detail: `${address} answered`, facts });
      });
      // Connected: answers of others are dropped, and ICMP's "port unreachable" is told (udp(7)).
      socket.once('connect', () => socket.send(payload, (error) => error && failed(error)));
      socket.connect(port, one);
    }
    return () => {
      for (const socket of sockets) socket.close();
    };
  });
}
