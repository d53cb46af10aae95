// Which name a port is known by: TCP and UDP have numbers of their own.
import { expect, test } from 'vitest';
import { portRows } from './ports.ts';

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
  const rows = portRows(sockets as unknown as Given[0], [], status as unknown as Given[2]);
  expect(rows.map(({ protocol, known }) => [protocol, known])).toEqual([
    ['tcp', ''],
    ['udp', 'listener/dns'],
  ]);
});
