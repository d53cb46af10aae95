// who, why, free and lease as a Windows program: iphlpapi's tables, winsock's binds, and processes, under Wine.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FreeResult, WhoRecord, WhyRecord } from '../../src/core/records.ts';
import { needs } from '../support/parts.ts';
import { Wine } from '../support/wine.ts';

describe.runIf(needs('who, why and leases on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  beforeAll(async () => {
    wine = await Wine.create();
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  const serve = (host: string) =>
    wine.script(
      `require('node:net').createServer().listen(0, '${host}', function () { console.log(this.address().port) })`,
    );

  it('shows a listener, and does not make up a holder where Wine tells PID 0', async () => {
    const { line: port } = await serve('127.0.0.1');
    const { sockets } = await wine.json<WhoRecord>(['who', port]);
    expect(sockets).toMatchObject([
      {
        ...{ protocol: 'tcp', family: 'ipv4', address: '127.0.0.1', port: Number(port), state: 'listen' },
        holders: [],
        hidden: { reason: expect.stringContaining('PID 0'), needs: null },
      },
    ]);
    expect(await wine.reeve(['who', port])).toMatchObject({ code: 4 });
    expect((await wine.json<{ results: FreeResult[] }>(['free', port, '--yes'])).results).toMatchObject([
      { outcome: 'refused', reason: expect.stringContaining('PID 0') },
    ]);
  });

  it('shows UDP, and nobody where nobody is', async () => {
    const { line: port } = await wine.script(
      `require('node:dgram').createSocket('udp4').bind(0, '127.0.0.1', function () { console.log(this.address().port) })`,
    );
    const { sockets } = await wine.json<WhoRecord>(['who', `udp:${port}`]);
    expect(sockets).toMatchObject([{ protocol: 'udp', address: '127.0.0.1', state: 'unconnected' }]);
    expect(await wine.json<WhoRecord>(['who', `tcp:${port}`])).toEqual({ sockets: [] });
  });

  it('explains a bind that fails, and one that works', async () => {
    const { line: port, process } = await serve('127.0.0.1');
    const held = await wine.json<WhyRecord>(['why', `127.0.0.1:${port}`]);
    expect(held).toMatchObject({ verdict: 'held', error: { code: 'EADDRINUSE', syscall: 'bind' } });
    process.kill('SIGKILL');
    const elsewhere = await wine.json<WhyRecord>(['why', '198.51.100.1:8080']);
    expect(elsewhere).toMatchObject({
      verdict: 'refused',
      error: { code: 'EADDRNOTAVAIL' },
      causes: [{ id: 'no-such-address' }],
    });
  });

  it('tells a port that is held exclusively, which Windows calls no permission', async () => {
    // SO_EXCLUSIVEADDRUSE is ~SO_REUSEADDR, -5; the address is 0.0.0.0.
    const { line: port } = await wine.script(`
      const { load } = require('koffi');
      const winsock = load('ws2_32.dll');
      const socket = winsock.func('intptr_t socket(int, int, int)')(2, 1, 0);
      winsock.func('int setsockopt(intptr_t, int, int, void *, int)')(socket, 0xffff, -5, Buffer.from([1, 0, 0, 0]), 4);
      const address = Buffer.alloc(16);
      address.writeUInt16LE(2);
      winsock.func('int bind(intptr_t, void *, int)')(socket, address, 16);
      winsock.func('int listen(intptr_t, int)')(socket, 5);
      winsock.func('int getsockname(intptr_t, void *, void *)')(socket, address, Buffer.from([16, 0, 0, 0]));
      console.log(address.readUInt16BE(2));
      setInterval(() => {}, 1000)`);
    const held = await wine.json<WhyRecord>(['why', `0.0.0.0:${port}`]);
    expect(held).toMatchObject({ verdict: 'held', error: { code: 'EACCES', syscall: 'bind' } });
    expect(held.causes[0]?.evidence).toContain('it is held exclusively (SO_EXCLUSIVEADDRUSE)');
  });

  it('leases the same port to the same name', async () => {
    const first = await wine.reeve(['lease', 'web']);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\n$/) });
    const second = await wine.reeve(['lease', 'web']);
    expect(second.stdout).toBe(first.stdout);
    const other = await wine.reeve(['lease', 'other']);
    expect(other.stdout).not.toBe(first.stdout);
  });
});
