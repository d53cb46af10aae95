// A PROXY protocol header as a value. (haproxy.org, doc/proxy-protocol.txt, 2020-03-05)

export type ProxyVersion = 'v1' | 'v2';

export interface HostAndPort {
  address: string;
  port: number;
}

/** Who talks to whom, as the sender tells it. */
export type ProxyEnds =
  | { family: 'ipv4' | 'ipv6'; transport: ProxyTransport; source: HostAndPort; destination: HostAndPort }
  /** Paths as they came: 108 bytes each, filled with zeros. */
  | { family: 'unix'; transport: ProxyTransport; source: Buffer; destination: Buffer };

export type ProxyTransport = 'stream' | 'dgram';

export interface Tlv {
  type: number;
  value: Buffer;
}

export interface ProxyHeader {
  /** `local`: the sender speaks for itself, as its health checks do. */
  command: 'proxy' | 'local';
  /** Null where the sender does not know (UNKNOWN, AF_UNSPEC): then the connection's own ends count. */
  ends: ProxyEnds | null;
  /** Version 2 only; without the checksum, which belongs to one header's bytes. */
  tlvs: Tlv[];
  /** Whether it had a checksum, which was right, or is to get one. */
  checksum: boolean;
}

/** What the bytes so far are. `length`: how many of them belong to it. */
export type Parsed<Value> =
  | { state: 'more' }
  | { state: 'wrong'; why: string }
  | { state: 'done'; length: number; value: Value };

export const more = { state: 'more' } as const;
export const wrong = (why: string) => ({ state: 'wrong', why }) as const;
