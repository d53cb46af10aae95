// What to say to a UDP port so that its usual service answers: the smallest valid request of each protocol.

const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (words: string) => new TextEncoder().encode(words);
const pad = (start: number[], length: number) => {
  const all = new Uint8Array(length);
  all.set(start);
  return all;
};

/** A query for the name server's version (CHAOS TXT version.bind), which servers answer or refuse: both are answers. */
const dns = bytes(
  0x52,
  0x56,
  1,
  0,
  0,
  1,
  0,
  0,
  0,
  0,
  0,
  0,
  7,
  ...text('version'),
  4,
  ...text('bind'),
  0,
  0,
  16,
  0,
  3,
);

/** All services of a host (RFC 6763 §9), asked for a unicast answer. */
const dnsServices = (unicast: boolean) => {
  const name = ['_services', '_dns-sd', '_udp', 'local'].flatMap((label) => [label.length, ...text(label)]);
  return bytes(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 0, 12, unicast ? 0x80 : 0, 1);
};

/** Version 4, mode 3: a client asks the time (RFC 5905 §7.3). */
const ntp = pad([0x23], 48);

/** SNMPv2c GetNext of 1.3.6.1 with the community `public` (RFC 3416). */
const snmp = bytes(
  ...[0x30, 0x24, 2, 1, 1, 4, 6, ...text('public')],
  ...[0xa1, 0x17, 2, 4, 0x52, 0x56, 0x45, 1, 2, 1, 0, 2, 1, 0],
  ...[0x30, 9, 0x30, 7, 6, 3, 0x2b, 6, 1, 5, 0],
);

/** Node status of `*` (RFC 1002 §4.2.17). */
const netbios = bytes(
  ...[0x52, 0x56, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  ...[0x20, ...text('CK'), ...text('A'.repeat(30)), 0, 0, 0x21, 0, 1],
);

const ssdp = text(
  'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n',
);

/** The UDP frame header (request id, sequence, count) and the text command. */
const memcached = bytes(0, 1, 0, 0, 0, 1, 0, 0, ...text('version\r\n'));

/** A long header with a version that nobody has: a server answers with those it speaks (RFC 9000 §6). */
const quic = pad([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0], 1200);

/** Read request of a file that hardly exists: the answer is an error from another port, or the file (RFC 1350). */
const tftp = bytes(0, 1, ...text('reeve'), 0, ...text('octet'), 0);

/** NULL call of portmapper 2 (RFC 5531). */
const rpc = pad([0x52, 0x56, 0x45, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa0, 0, 0, 0, 2], 40);

const sip = text(
  'OPTIONS sip:reeve@localhost SIP/2.0\r\nVia: SIP/2.0/UDP localhost;branch=z9hG4bKreeve;rport\r\n' +
    'From: <sip:reeve@localhost>;tag=1\r\nTo: <sip:reeve@localhost>\r\nCall-ID: reeve\r\nCSeq: 1 OPTIONS\r\n' +
    'Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n',
);

/** Binding request (RFC 8489 §5). */
const stun = pad([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0x52, 0x56], 20);

/** GET of /.well-known/core, confirmable (RFC 7252 §3). */
const coap = bytes(0x40, 1, 0x52, 0x56, 0xbb, ...text('.well-known'), 4, ...text('core'));

const nothing = new Uint8Array(0);

const byPort = new Map<number, Uint8Array>([
  [53, dns],
  [69, tftp],
  [111, rpc],
  [123, ntp],
  [137, netbios],
  [161, snmp],
  [443, quic],
  [1900, ssdp],
  [3478, stun],
  [5060, sip],
  [5353, dnsServices(true)],
  [5355, dns],
  [5683, coap],
  [8443, quic],
  [11211, memcached],
]);

/** Empty where no protocol is usual: the datagram still finds out whether the port is closed. */
export function udpPayload(port: number): Uint8Array {
  return byPort.get(port) ?? nothing;
}
