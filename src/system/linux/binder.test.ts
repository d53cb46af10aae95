// Binds that fail for each reason, with the kernel's own name for it; and that nobody gets connected by a trial.
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/children.ts';
import { needs } from '../../../test/support/parts.ts';
import { rawSocket } from '../../../test/support/raw-socket.ts';
import { checked, libc } from '../../ffi/index.ts';
import type { BindRequest } from '../system.ts';
import { createBinder, dropEverything } from './binder.ts';
import { encodeAddress } from './bound.ts';
import { createLinuxSystem } from './index.ts';

const attempt = (request: Partial<BindRequest>) =>
  createBinder().attempt({
    protocol: 'tcp',
    address: '127.0.0.1',
    port: 0,
    reuse: true,
    v6only: false,
    ...request,
  });
const failed = (code: string, syscall = 'bind') => ({ ok: false, error: { code, syscall } });

describe.runIf(needs('binds on Linux', 'linux', 'ipv6'))('attempt', () => {
  it('finds a listener in the way, on the same address and under the wildcard', async () => {
    using holder = rawSocket('127.0.0.1', { reuse: true, listen: 1 });
    const { port } = holder;
    expect(await attempt({ port })).toEqual(failed('EADDRINUSE'));
    expect(await attempt({ port, address: '0.0.0.0' })).toEqual(failed('EADDRINUSE'));
    expect(await attempt({ port, address: '::' })).toEqual(failed('EADDRINUSE'));
    expect(await attempt({ port, address: '::', v6only: true })).toEqual({ ok: true, port });
    expect(await attempt({ port, address: '127.0.0.2' })).toEqual({ ok: true, port });
    expect(await attempt({ port, protocol: 'udp' })).toEqual({ ok: true, port });
  });

  it('finds a dual-stack listener in the way of IPv4', async () => {
    using holder = rawSocket('::', { v6only: false, reuse: true, listen: 1 });
    expect(await attempt({ port: holder.port })).toEqual(failed('EADDRINUSE'));
  });

  it('honours SO_REUSEADDR on a port that is only parked', async () => {
    using parked = rawSocket('127.0.0.1', { reuse: true });
    expect(await attempt({ port: parked.port })).toEqual({ ok: true, port: parked.port });
    expect(await attempt({ port: parked.port, reuse: false })).toEqual(failed('EADDRINUSE'));
  });

  it('finds UDP in the way of UDP', async () => {
    using holder = rawSocket('127.0.0.1', { protocol: 'udp' });
    const request = { protocol: 'udp', port: holder.port, reuse: false } as const;
    expect(await attempt(request)).toEqual(failed('EADDRINUSE'));
  });

  it('passes on what the kernel thinks of the address', async () => {
    expect(await attempt({ address: '198.51.100.1' })).toEqual(failed('EADDRNOTAVAIL'));
    expect(await attempt({ address: '2001:db8::1' })).toEqual(failed('EADDRNOTAVAIL'));
    // A link-local address means nothing without its interface.
    expect(await attempt({ address: 'fe80::1' })).toEqual(failed('EINVAL'));
    // A multicast address may be bound, but nobody can listen for connections to one (Linux 6.18 and before).
    expect(await attempt({ address: '224.0.0.1', protocol: 'udp' })).toMatchObject({ ok: true });
  });
});

describe.runIf(needs('binding privileged ports', 'linux', 'root'))('attempt without privilege', () => {
  it('is refused exactly below the border that the host tells', async () => {
    const system = createLinuxSystem();
    process.seteuid!(65534);
    try {
      const { unprivilegedFrom, mayBindPrivileged } = await system.host.facts();
      expect(mayBindPrivileged).toBe(false);
      const outcome = await system.binder.attempt({
        protocol: 'tcp',
        address: '127.0.0.1',
        port: 1,
        reuse: true,
        v6only: false,
      });
      expect(outcome).toEqual(unprivilegedFrom > 1 ? failed('EACCES') : { ok: true, port: 1 });
    } finally {
      process.seteuid!(0);
    }
  });
});

describe.runIf(needs('the filter of a trial bind', 'linux', 'root'))('dropEverything', () => {
  it('lets no client through to a socket that listens', async () => {
    using socket = rawSocket('127.0.0.1');
    dropEverything(socket.fd);
    checked('listen', libc.listen(socket.fd, 1));
    const client = connect(socket.port, '127.0.0.1');
    let connected = false;
    client.on('connect', () => {
      connected = true;
    });
    const refused = once(client, 'error').catch((error) => [error]);
    await eventually(async () => {
      const { rows } = await createLinuxSystem().sockets.table({ protocols: ['tcp'] });
      return rows.some((row) => row.remotePort === socket.port && row.state === 'syn-sent');
    });
    socket.close();
    // Its SYN was lost; the next one, a second later, finds nobody.
    expect((await refused)[0]).toMatchObject({ code: 'ECONNREFUSED' });
    expect(connected).toBe(false);
  });
});

describe('encodeAddress', () => {
  const hex = (address: string, port: number) =>
    Buffer.from(encodeAddress(address, port).sockaddr).toString('hex');

  it('lays out both families', () => {
    expect(hex('127.0.0.1', 0x1f90)).toBe('02001f907f0000010000000000000000');
    expect(hex('::1', 1)).toBe(`0a000001${'00'.repeat(4)}${'00'.repeat(15)}01${'00'.repeat(4)}`);
  });

  it('takes the interface of a link-local address by number and by name', () => {
    expect(hex('fe80::1%7', 1).slice(-8)).toBe('07000000');
    expect(hex('fe80::1%no-such-one', 1).slice(-8)).toBe('00000000');
  });

  it.runIf(needs('interfaces by name', 'linux'))('knows the loopback interface', () => {
    expect(hex('fe80::1%lo', 1).slice(-8)).toBe('01000000');
  });
});
