// What a listener of UDP cannot have, and what it needs to say.
import { splitProtocol } from '../core/endpoint.ts';
import type { ReportRule } from './names.ts';
import type { Path } from './problems.ts';
import { isText, type Section, section } from './raw.ts';
import { notNative } from './tls-rules.ts';

/** Key → why not. */
const notOfListener = {
  tls: 'TLS is spoken over TCP alone',
  handler: 'handlers are for TCP',
  frame: 'a datagram is one record, as it came',
  backlog: 'nobody waits to be accepted on UDP',
};
const notOfLimits = {
  firstBytes: 'a session of UDP begins with its first datagram',
  greeting: 'there is no greeting on UDP',
  greetings: 'there is no greeting on UDP',
};
const notOfBalance = {
  tls: 'targets are spoken to by UDP',
  retries: 'after a failure the next datagram goes to the next target',
  retryBudget: 'after a failure the next datagram goes to the next target',
  queue: 'a datagram does not wait for a place: it is dropped, and counted',
};

export function udpRules(at: Path, listener: Section, root: unknown, report: ReportRule): void {
  const binds = Array.isArray(listener.bind) ? listener.bind.filter(isText) : [];
  const protocols = binds.map((text) => splitProtocol(text.trim()).protocol);
  if (!protocols.includes('udp')) return;
  const other = protocols.findIndex((protocol) => protocol !== protocols[0]);
  if (other > 0) {
    const message = 'a listener has one protocol, TCP or UDP: give this address to a listener of its own';
    report([...at, 'bind', other], message);
  }
  notNative([...at, 'bind', protocols.indexOf('udp')], 'UDP is carried', root, report);
  const { balance, limits, proxyProtocol } = listener;
  refuse(at, listener, notOfListener, report);
  refuse([...at, 'limits'], section(limits), notOfLimits, report);
  refuse([...at, 'balance'], section(balance), notOfBalance, report);
  for (const key of ['accept', 'send']) {
    const value = section(proxyProtocol)[key];
    if (value !== undefined && value !== false)
      report([...at, 'proxyProtocol', key], 'not for UDP: the PROXY protocol is spoken over TCP alone here');
  }
  const check = section(section(balance).check);
  const ways = ['udp', 'http', 'tcp', 'grpc', 'exec'];
  if ('check' in section(balance) && !ways.some((way) => way in check)) {
    const message = 'targets of UDP are checked by udp: true, or by another way that is named';
    report([...at, 'balance', 'check'], message, 'key');
  }
}

function refuse(at: Path, has: Section, not: Record<string, string>, report: ReportRule): void {
  for (const [key, why] of Object.entries(not)) if (key in has) report([...at, key], `not for UDP: ${why}`);
}
