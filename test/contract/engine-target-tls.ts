// Contract of engines that speak TLS to targets: verified, with what is asked for, and after the PROXY header.
import { describe, expect, it } from 'vitest';
import { cutCode, dial, type MakeEngine, readAll, serve, startTarget } from './engine-harness.ts';
import { serveSecure } from './secure-target.ts';
import { dialTls, read, serveTls, targetTls } from './tls-harness.ts';

export function targetTlsContract(makeEngine: MakeEngine): void {
  const through = async (place: Awaited<ReturnType<typeof serveSecure>>, terms: Record<string, unknown>) => {
    const plan = { targetTls: await targetTls(terms) };
    return serve(makeEngine, {
      targets: [place],
      plan,
      config: { balance: { targets: [place.id], retries: 0 } },
    });
  };

  describe('TLS to targets', () => {
    it('passes bytes and ends, to a target whose certificate is good', async () => {
      const place = await serveSecure('localhost', (socket) => void socket.pipe(socket));
      const { port, reports } = await through(place, { ca: 'ca.pem' });
      const client = await dial(port);
      const sent = Buffer.alloc(2 ** 20, 'reeve');
      client.end(sent);
      expect((await readAll(client)).equals(sent)).toBe(true);
      expect(await reports.end()).toMatchObject({ reason: 'done', target: place.id, received: 2 ** 20 });
    });

    it.each([
      ['of an unknown authority', 'localhost', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ['for another name', 'a', { ca: 'ca.pem' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [
        'for another name than asked',
        'localhost',
        { ca: 'ca.pem', servername: 'b.org' },
        'ERR_TLS_CERT_ALTNAME_INVALID',
      ],
    ])('refuses a certificate %s', async (_what, identity, terms, code) => {
      const place = await serveSecure(identity, 'secret');
      const { port, reports } = await through(place, terms);
      const client = await dial(port);
      expect(await cutCode(client)).toBe('ECONNRESET');
      expect(await reports.end()).toMatchObject({ reason: 'connect-failed', detail: `${place.id}: ${code}` });
    });

    it('asks for a name, and shows a certificate', async () => {
      const names: unknown[] = [];
      const mutual = { requestCert: true, rejectUnauthorized: true, ca: read('ca.pem') };
      const place = await serveSecure(
        'a',
        (socket) => {
          const { servername } = socket as unknown as { servername: string };
          names.push(servername, socket.getPeerCertificate().subject.CN);
          socket.resume();
          socket.end('welcome');
        },
        mutual,
      );
      const terms = { ca: 'ca.pem', servername: 'a.example.com', cert: 'client.pem', key: 'client.key' };
      const { port } = await through(place, terms);
      const client = await dial(port);
      client.end();
      expect((await readAll(client)).toString()).toBe('welcome');
      expect(names).toEqual(['a.example.com', 'client']);
    });

    it('takes any certificate, where it is told not to verify', async () => {
      const place = await serveSecure('a', 'welcome');
      const { port } = await through(place, { verify: false });
      const client = await dial(port);
      client.end();
      expect((await readAll(client)).toString()).toBe('welcome');
    });

    it('gives up a target that does not answer the handshake', async () => {
      const silent = await startTarget((socket) => void socket.resume());
      const plan = { targetTls: await targetTls({ ca: 'ca.pem' }) };
      const balance = { targets: [silent.id], retries: 0, connectTimeout: '150ms' };
      const { port, reports } = await serve(makeEngine, { targets: [silent], plan, config: { balance } });
      const client = await dial(port);
      expect(await cutCode(client)).toBe('ECONNRESET');
      expect(await reports.end()).toMatchObject({ detail: `${silent.id}: ETIMEDOUT` });
    });

    it('stands behind the PROXY header', async () => {
      const first = await startTarget((socket) => void socket.resume());
      const heard = new Promise<Buffer>((resolve) => {
        first.server.on('served', (socket) => socket.once('data', resolve));
      });
      const plan = { targetTls: await targetTls({ ca: 'ca.pem' }) };
      const config = { proxyProtocol: { send: 'v1' } };
      const { port } = await serve(makeEngine, { targets: [first], plan, config });
      await dial(port);
      expect((await heard).toString('latin1')).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n/);
    });

    it('offers the protocol that the client has agreed on', async () => {
      const offered = { ALPNProtocols: ['h2', 'http/1.1'] };
      const place = await serveSecure(
        'localhost',
        (socket) => void socket.end(String(socket.alpnProtocol)),
        offered,
      );
      const plan = { targetTls: await targetTls({ ca: 'ca.pem' }) };
      const { port } = await serveTls(makeEngine, { alpn: ['http/1.1'] }, { targets: [place], plan });
      const client = await dialTls(port, { ALPNProtocols: ['h2', 'http/1.1'] });
      client.end();
      expect((await readAll(client)).toString()).toBe('http/1.1');
    });
  });
}
