// Banners, from real servers of every temper: who greets, who must be asked, who speaks TLS, who is hostile, who is mute.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { readBanner, readBanners } from './banner.ts';

const never = new AbortController().signal;
const fixture = (name: string) =>
  readFileSync(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url));
const certificate = { cert: fixture('self-signed.crt'), key: fixture('self-signed.key') };

const opened: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(() => {
  for (const { server, sockets } of opened.splice(0)) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
});

async function serve(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  opened.push({ server, sockets });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

const says = (respond: (socket: Socket) => void) => serve(createServer(respond));
const bannerOf = (port: number) => readBanner('127.0.0.1', port, never);

describe('readBanner', () => {
  it('takes a greeting, without asking anything', async () => {
    let heard = '';
    const port = await says((socket) => {
      socket.on('data', (data) => {
        heard += data;
      });
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
    });
    expect(await bannerOf(port)).toBe('SSH-2.0-OpenSSH_9.2');
    expect(heard).toBe('');
  });

  it('asks HTTP for its status and name', async () => {
    const http = createHttpServer((_, response) => {
      response.writeHead(404, { server: 'test/1.0' }).end('no');
    });
    expect(await bannerOf(await serve(http))).toBe('HTTP/1.1 404 Not Found · test/1.0');
  });

  it('shakes hands in TLS, and asks HTTP within', async () => {
    const https = createHttpsServer(certificate, (_, response) => response.end('hello'));
    expect(await bannerOf(await serve(https))).toMatch(/^TLSv1\.3.* · HTTP\/1\.1 200 OK$/);
    const mute = createTlsServer(certificate, (socket) => socket.on('error', () => {}));
    expect(await bannerOf(await serve(mute))).toMatch(/^TLSv1\.3/);
  });

  it('pings Redis', async () => {
    const port = await says((socket) => {
      socket.on('data', (data) =>
        data.toString() === 'PING\r\n' ? socket.write('+PONG\r\n') : socket.destroy(),
      );
    });
    expect(await bannerOf(port)).toBe('+PONG');
  });

  it('prints nothing that steers a terminal, and no more than a line', async () => {
    const hostile = '\u001b]0;owned\u0007\u001b[2J\r\nreeve: all is well\u202e gnp\u0000';
    const banner = await bannerOf(await says((socket) => void socket.write(hostile)));
    expect(banner).toMatch(/reeve: all is well/);
    expect(banner).not.toMatch(/[\u0000-\u001f\u007f\u202e]/);
  });

  it('reads no more than it needs of an endless greeting', async () => {
    let written = 0;
    const port = await says((socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536))) written += 65_536;
      };
      socket.on('drain', more);
      more();
    });
    expect([...(await bannerOf(port))!]).toHaveLength(160);
    // What the sockets' own buffers hold, and not what a second of loopback carries.
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  it('has nothing to tell of who says nothing, or only bytes', async () => {
    expect(await bannerOf(await says((socket) => void socket.end()))).toBeNull();
    expect(await bannerOf(await says((socket) => void socket.end(Buffer.of(0, 1, 2, 255, 254))))).toBeNull();
  });

  it('asks many at once, and stops when told to', async () => {
    const greeting = await says((socket) => void socket.write('220 mail\r\n'));
    const silent = await says(() => {});
    const banners = await readBanners('127.0.0.1', [greeting, greeting, 1], never);
    expect([...banners]).toEqual([[greeting, '220 mail']]);
    const abort = new AbortController();
    const reading = readBanners('127.0.0.1', [silent], abort.signal);
    abort.abort();
    expect((await reading).size).toBe(0);
  });
});
