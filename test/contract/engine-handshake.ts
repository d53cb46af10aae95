// Contract of engines that end TLS: who gets in, by which name, and why others do not.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { loadCredentials } from '../../src/listen/index.ts';
import { createAuthority } from '../support/authority.ts';
import { needs } from '../support/parts.ts';
import {
  closed,
  cutCode,
  dial,
  echo,
  type MakeEngine,
  readAll,
  type Serving,
  says,
  serve,
  startTarget,
  turnedAway,
} from './engine-harness.ts';
import { at, dialTls, failTls, read, serveTls } from './tls-harness.ts';

const mutual = { clientCa: 'ca.pem' };

async function refusal({ reports }: Serving): Promise<string> {
  await reports.until(() => reports.refusals.length > 0);
  expect(reports.opens).toEqual([]);
  return reports.refusals[0]!;
}

export function handshakeContract(makeEngine: MakeEngine): void {
  describe('names and certificates', () => {
    it('shows the certificate of the name, and sends to its targets', async () => {
      const sni = {
        'a.example.com': { cert: 'a.pem', key: 'a.key', targets: ['127.0.0.1:1'] },
        '*.example.com': { cert: 'wild.pem', key: 'wild.key' },
      };
      const [a, other] = [await startTarget(says('a')), await startTarget(says('default'))];
      const routes = [{ serverName: 'a.example.com', targets: [a] }];
      const { port } = await serveTls(makeEngine, { sni }, { targets: [other], plan: { routes } });
      const seen: unknown[] = [];
      for (const servername of ['a.example.com', 'b.example.com', 'localhost']) {
        const client = await dialTls(port, { servername });
        client.end();
        seen.push([client.getPeerCertificate().subject.CN, (await readAll(client)).toString()]);
      }
      expect(seen).toEqual([
        ['a.example.com', 'a'],
        ['*.example.com', 'default'],
        ['localhost', 'default'],
      ]);
    });

    it('refuses names that it does not know, where it is told to', async () => {
      const tls = { sni: { 'a.example.com': {} }, unknownName: 'refuse' };
      const serving = await serveTls(makeEngine, tls);
      await failTls(serving.port, { servername: 'b.example.com' });
      expect(await refusal(serving)).toBe('server-name');
      await failTls(serving.port, { servername: '' });
      await serving.reports.until(() => serving.reports.refusals.length === 2);
      expect(serving.reports.refusals[1]).toBe('server-name');
    });

    it('agrees on a protocol, or refuses', async () => {
      const place = await startTarget(echo);
      const serving = await serveTls(makeEngine, { alpn: ['h2', 'http/1.1'] }, { targets: [place] });
      const client = await dialTls(serving.port, { ALPNProtocols: ['http/1.1', 'spdy'] });
      expect(client.alpnProtocol).toBe('http/1.1');
      const strange = await serveTls(makeEngine, { alpn: ['h2'] });
      const code = await failTls(strange.port, { ALPNProtocols: ['spdy'] });
      expect(code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
      expect(await refusal(strange)).toBe('tls-protocol');
    });

    it('lets in who shows a certificate of the authority', async () => {
      const place = await startTarget(echo);
      const { port } = await serveTls(makeEngine, mutual, { targets: [place] });
      const client = await dialTls(port, { cert: read('client.pem'), key: read('client.key') });
      client.end('hello');
      expect((await readAll(client)).toString()).toBe('hello');
    });

    it.each(['TLSv1.2', 'TLSv1.3'] as const)(
      'refuses who shows none, or one of a stranger (%s)',
      async (version) => {
        const place = await startTarget(echo);
        const versions = { minVersion: version, maxVersion: version };
        const serving = await serveTls(makeEngine, mutual, { targets: [place] });
        expect(await failTls(serving.port, versions)).toMatch(/ALERT|ECONNRESET/);
        expect(await refusal(serving)).toBe('tls-client-certificate');
        const stranger = createAuthority('Stranger');
        const { cert, key } = stranger.issue('evil', ['client']);
        const shown = { cert: readFileSync(cert), key: readFileSync(key) };
        stranger.remove();
        await failTls(serving.port, { ...versions, ...shown });
        await serving.reports.until(() => serving.reports.refusals.length === 2);
        expect(serving.reports.refusals[1]).toBe('tls-client-certificate');
        expect([place.sockets.size, serving.reports.opens.length]).toEqual([0, 0]);
      },
    );

    it('only asks for one, where that is enough', async () => {
      const place = await startTarget(echo);
      const { port } = await serveTls(makeEngine, { ...mutual, clientAuth: 'request' }, { targets: [place] });
      const client = await dialTls(port);
      client.end('hello');
      expect((await readAll(client)).toString()).toBe('hello');
    });

    it('shows a new certificate to those who come after an update, and leaves the others', async () => {
      const place = await startTarget(echo);
      const serving = await serveTls(makeEngine, {}, { targets: [place] });
      const before = await dialTls(serving.port);
      const tls = { ...serving.plan.config.tls!, cert: 'a.pem', key: 'a.key' };
      serving.listener.update({ ...serving.plan, credentials: await loadCredentials(tls, at) });
      const after = await dialTls(serving.port, { servername: 'a.example.com' });
      expect(before.getPeerCertificate().subject.CN).toBe('localhost');
      expect(after.getPeerCertificate().subject.CN).toBe('a.example.com');
      before.end('still here');
      expect((await readAll(before)).toString()).toBe('still here');
    });
  });

  describe('handshakes that fail', () => {
    it('are counted by their reason', async () => {
      const serving = await serveTls(makeEngine, { minVersion: '1.3' });
      const { reports, port } = serving;
      const plain = await dial(port);
      plain.write('GET / HTTP/1.1\r\n\r\n');
      await reports.until(() => reports.refusals.length === 1);
      await failTls(port, { maxVersion: 'TLSv1.2' });
      await reports.until(() => reports.refusals.length === 2);
      const gone = await dial(port);
      gone.end();
      await reports.until(() => reports.refusals.length === 3);
      const cut = await dial(port);
      cut.write(Buffer.from('1603010200', 'hex'), () => cut.resetAndDestroy());
      await reports.until(() => reports.refusals.length === 4);
      expect(reports.refusals).toEqual(['tls-invalid', 'tls-version', 'gone', 'gone']);
      expect(serving.listener.active()).toBe(0);
    });

    it('are given up in time, and give back their place', async () => {
      const place = await startTarget(echo);
      const limits = { greeting: '150ms', connections: 1 };
      const serving = await serveTls(makeEngine, {}, { targets: [place], config: { limits } });
      const slow = await dial(serving.port);
      slow.write(Buffer.from('1603010200', 'hex'));
      expect(await cutCode(slow)).toBe('ECONNRESET');
      expect(await refusal(serving)).toBe('tls-timeout');
      const client = await dialTls(serving.port);
      client.end('hello');
      expect((await readAll(client)).toString()).toBe('hello');
    });

    it('a hello that is to be passed through is given up too, and garbage at once', async () => {
      const tls = { mode: 'passthrough' };
      const config = { tls, limits: { greeting: '150ms' } };
      const serving = await serve(makeEngine, { config });
      const slow = await dial(serving.port);
      slow.setNoDelay();
      slow.write(Buffer.from('160301', 'hex'));
      const garbage = await dial(serving.port);
      garbage.write('SSH-2.0-OpenSSH_9.2p1\r\n');
      expect(await cutCode(garbage)).toBe('ECONNRESET');
      await closed(slow);
      expect(serving.reports.refusals).toEqual(['tls-invalid', 'tls-timeout']);
    });

    it('are bounded in number', async () => {
      const serving = await serveTls(makeEngine, {}, { config: { limits: { greetings: 2 } } });
      await dial(serving.port);
      await dial(serving.port);
      expect(await turnedAway(serving.port)).toBe('ECONNRESET');
      expect(await refusal(serving)).toBe('greetings');
    });

    it.runIf(needs('clients from two addresses of loopback', 'linux'))(
      'do not keep out who comes from elsewhere: the oldest of those who have most goes',
      async () => {
        const place = await startTarget(echo);
        const config = { limits: { greetings: 3 } };
        const serving = await serveTls(makeEngine, {}, { targets: [place], config });
        const slow = [];
        for (let i = 0; i < 3; i++) {
          const socket = connect({ port: serving.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
          await once(socket, 'connect');
          slow.push(socket);
        }
        const cut = cutCode(slow[0]!);
        const client = await dialTls(serving.port);
        client.end('hello');
        expect((await readAll(client)).toString()).toBe('hello');
        expect(await cut).toBe('ECONNRESET');
        expect(serving.reports.refusals).toEqual(['greetings']);
        for (const socket of slow) socket.destroy();
      },
    );
  });
}
