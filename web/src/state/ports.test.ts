// Which name a port is known by: TCP and UDP have numbers of their own.
import { expect, test } from 'vitest';
import { namesOf, portRows } from './ports.ts';

test('a listener of UDP names the UDP port, and leaves TCP with that number to its holder', () => {
  const socket = {
    state: 'listening',
    address: '0.0.0.0',
    family: 'ipv4',
    peer: null,
    holders: [],
    hidden: null,
  };
  const sockets = ['tcp', 'udp'].map((protocol) => ({ ...socket, protocol, port: 53 }));
  const status = {
    control: '127.0.0.1:7070',
    services: [],
    listeners: [{ name: 'dns', binds: [{ address: 'udp://0.0.0.0:53' }] }],
  };
  type Given = Parameters<typeof portRows>;
  const names = namesOf(status as unknown as Parameters<typeof namesOf>[0]);
  const rows = portRows(sockets as unknown as Given[0], [], names);
  expect(rows.map(({ protocol, known }) => [protocol, known])).toEqual([
    ['tcp', ''],
    ['udp', 'listener/dns'],
  ]);
});
