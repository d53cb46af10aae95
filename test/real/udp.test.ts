// UDP listeners: sessions of clients, their targets, limits and ends, over real sockets.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/children.ts';
import { folder, opened, parse } from '../support/sinks.ts';
import { balance, end, serveUdp, udpClient, udpNobody, udpServer } from './udp-support.ts';

describe('a UDP listener', () => {
  it('passes 10,000 datagrams of 50 clients, each client its own in order and unchanged', async () => {
    const targets = await Promise.all([1, 2].map(() => udpServer((datagram) => datagram)));
    const { port, reports, listener } = await serveUdp({ targets });
    const clients = await Promise.all(Array.from({ length: 50 }, () => udpClient(port)));
    await Promise.all(
      clients.map(async (client, number) => {
        // One after another within a client: the kernel may drop what nobody has time to read.
        for (let i = 0; i < 200; i++) {
          const padding = randomBytes(i % 10 === 0 ? 1000 : 20);
          const sent = Buffer.concat([Buffer.from(`${number}/${i} `), padding]);
          client.say(sent);
          expect((await client.answer()).equals(sent)).toBe(true);
        }
      }),
    );
    expect([listener.active(), reports.opens.length]).toEqual([50, 50]);
    expect(targets.map(({ heard }) => heard.length)).toEqual([5000, 5000]);
    for (const { heard } of targets) expect(new Set(heard.map(({ from }) => from.port)).size).toBe(25);
    await reports.until(() => reports.datagrams.sent === 10_000);
    expect(reports.datagrams).toEqual({ received: 10_000, sent: 10_000 });
    expect(reports.bytesIn).toBe(reports.bytesOut);
  });

  it('keeps what one client sends at once in order', async () => {
    const target = await udpServer(() => null);
    const { port } = await serveUdp({ targets: [target] });
    const client = await udpClient(port);
    for (let i = 0; i < 100; i++) client.say(String(i));
    await eventually(() => target.heard.length === 100);
    expect(target.heard.map(({ text }) => text)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
  });

  it('carries the longest datagrams that there are, and empty ones', async () => {
    const target = await udpServer((datagram) => datagram);
    const { port } = await serveUdp({ targets: [target] });
    const client = await udpClient(port);
    const longest = randomBytes(65_507);
    client.say(longest);
    expect((await client.answer()).equals(longest)).toBe(true);
    client.say('');
    expect(await client.answer()).toHaveLength(0);
  });

  it('ends a session that is idle, and begins another when the client speaks again', async () => {
    const target = await udpServer(() => 'yes');
    const { port, reports, listener } = await serveUdp({
      targets: [target],
      config: { limits: { idle: '300ms' } },
    });
    const client = await udpClient(port);
    await client.ask('one');
    const { reason, received, sent, connectMs, ms, target: to } = await reports.end();
    expect([reason, received > 0, sent > 0, to]).toEqual(['idle', true, true, target.id]);
    expect(connectMs).toBeLessThan(ms);
    expect(ms).toBeGreaterThanOrEqual(300);
    expect([listener.active(), listener.targets()[0]!.active]).toEqual([0, 0]);
    await client.ask('two');
    expect(new Set(target.heard.map(({ from }) => from.port)).size).toBe(2);
  });

  it('has an idle time of 30 s unless another is named', async () => {
    const { plan } = await serveUdp({});
    expect(plan.config.limits.idle).toBe(30_000);
  });

  it('lets in so many sessions, so many of one client, and whom the lists allow', async () => {
    const target = await udpServer((datagram) => datagram);
    const { port, reports, listener, plan } = await serveUdp({
      targets: [target],
      config: { limits: { connections: 2 } },
    });
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => udpClient(port)));
    await one!.ask('1');
    await two!.ask('2');
    three!.say('3');
    await reports.until(() => reports.refusals.length > 0);
    const limit = (limits: object, lists: object = {}) => {
      const { connections, ...rest } = { connections: 100, ...limits };
      const config = { ...plan.config, ...lists, limits: { ...plan.config.limits, connections, ...rest } };
      listener.update({ ...plan, config });
    };
    limit({ perClient: 2 });
    three!.say('4');
    await reports.until(() => reports.refusals.length > 1);
    limit({}, { deny: ['127.0.0.0/8'] });
    three!.say('5');
    await reports.until(() => reports.refusals.length > 2);
    limit({}, { allow: ['10.0.0.0/8'] });
    three!.say('6');
    await reports.until(() => reports.refusals.length > 3);
    expect(reports.refusals).toEqual(['connections', 'per-client', 'denied', 'not-allowed']);
    expect(await one!.ask('still here')).toBe('still here');
    limit({});
    expect(await three!.ask('7')).toBe('7');
    expect(target.heard.map(({ text }) => text)).not.toContain('3');
  });

  it('leaves a target where nobody is for the next one, and tells of the failure', async () => {
    const [dead, alive] = [await udpNobody(), await udpServer(() => 'yes')];
    const { port, reports, listener } = await serveUdp({ targets: [dead, alive] });
    const client = await udpClient(port);
    expect(await client.ask('anybody?')).toBe('yes');
    expect(reports.failures).toEqual([{ target: dead.id, code: 'ECONNREFUSED' }]);
    expect(reports.took).toEqual([alive.id]);
    expect(listener.targets().map(({ active, failures }) => [active, failures])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it('tries the only target again and again, and reaches it when it is back', async () => {
    const dead = await udpNobody();
    const { port, reports } = await serveUdp({ targets: [dead], config: { limits: { idle: '5s' } } });
    const client = await udpClient(port);
    for (let i = 1; i <= 3; i++) {
      client.say('hello?');
      await eventually(() => reports.failures.length >= i);
    }
    await udpServer(() => 'back', { port: dead.port });
    expect(await client.ask('hello?')).toBe('back');
    expect(reports.opens).toHaveLength(1);
  });

  it('goes to another target when the one that answered is gone', async () => {
    const [first, second] = await Promise.all(['a', 'b'].map((name) => udpServer(() => name)));
    const { port, reports } = await serveUdp({ targets: [first!, second!] });
    const client = await udpClient(port);
    expect(await client.ask('who?')).toBe('a');
    end(first!.socket);
    client.say('who?');
    await eventually(() => reports.failures.length === 1);
    expect(await client.ask('who?')).toBe('b');
  });

  it('finds targets by name, and leaves a name that nobody knows', async () => {
    const server = await udpServer(() => 'yes');
    const nowhere = { ...server, id: `nowhere.invalid:${server.port}`, host: 'nowhere.invalid' };
    const named = { ...server, id: `localhost:${server.port}`, host: 'localhost' };
    const { port, reports } = await serveUdp({
      targets: [nowhere, { ...named, backup: true }],
      config: balance({ connectTimeout: '2s' }),
    });
    const client = await udpClient(port);
    expect(await client.ask('anybody?')).toBe('yes');
    expect(reports.failures[0]!.target).toBe(nowhere.id);
    expect(reports.datagrams['target-failed']).toBeGreaterThan(0);
  });

  it('says why a session came to nothing', async () => {
    const dead = await udpNobody();
    const refused = await serveUdp({ targets: [dead], config: { limits: { idle: '200ms' } } });
    (await udpClient(refused.port)).say('hello?');
    expect(await refused.reports.end()).toMatchObject({ reason: 'connect-failed', target: null, retries: 1 });
    const empty = await serveUdp({ targets: [], config: { limits: { idle: '200ms' } } });
    (await udpClient(empty.port)).say('hello?');
    expect(await empty.reports.end()).toMatchObject({ reason: 'no-target', target: null });
    expect(empty.reports.datagrams).toEqual({ received: 1, 'no-target': 1 });
  });

  it('drops what comes while every target has as many as it may, and counts it', async () => {
    const target = await udpServer(() => 'yes', { max: 1 });
    const { port, reports } = await serveUdp({ targets: [target] });
    const [one, other] = await Promise.all([udpClient(port), udpClient(port)]);
    await one!.ask('me');
    other!.say('and me');
    await reports.until(() => reports.datagrams['target-full'] === 1);
    expect(other!.answers).toEqual([]);
  });

  it('spreads sessions by weight, prefers primaries, and leaves out who drains', async () => {
    const names = ['heavy', 'light', 'backup', 'draining'];
    const settings = [{ weight: 3 }, {}, { backup: true }, { draining: true }];
    const targets = await Promise.all(names.map((name, i) => udpServer(() => name, settings[i])));
    const { port, listener } = await serveUdp({ targets });
    for (let i = 0; i < 8; i++) await (await udpClient(port)).ask('who?');
    expect(listener.targets().map(({ total }) => total)).toEqual([6, 2, 0, 0]);
  });

  it('sends a client address to the same target always by source-hash', async () => {
    const targets = await Promise.all(['a', 'b', 'c'].map((name) => udpServer(() => name)));
    const { port } = await serveUdp({ targets, config: balance({ policy: 'source-hash' }) });
    const said = new Set<string>();
    for (let i = 0; i < 10; i++) said.add(await (await udpClient(port)).ask('who?'));
    expect(said.size).toBe(1);
  });

  it('takes the least loaded target by least-connections', async () => {
    const targets = await Promise.all(['a', 'b'].map((name) => udpServer(() => name)));
    const { port, listener } = await serveUdp({ targets, config: balance({ policy: 'least-connections' }) });
    for (let i = 0; i < 6; i++) await (await udpClient(port)).ask('who?');
    expect(listener.targets().map(({ active }) => active)).toEqual([3, 3]);
  });

  it('moves clients away from a target that is ended', async () => {
    const [first, second] = await Promise.all(['a', 'b'].map((name) => udpServer(() => name)));
    const { port, reports, listener, plan } = await serveUdp({ targets: [first!, second!] });
    const client = await udpClient(port);
    expect(await client.ask('who?')).toBe('a');
    listener.update({ ...plan, targets: [{ ...first!, verdict: 'down' }, second!] });
    listener.end(first!.id, 'target-down');
    expect((await reports.end()).reason).toBe('target-down');
    expect(await client.ask('who?')).toBe('b');
  });

  it('keeps sessions over a change of the configuration', async () => {
    const [first, second] = await Promise.all(['a', 'b'].map((name) => udpServer(() => name)));
    const { port, reports, listener, plan } = await serveUdp({ targets: [first!] });
    const client = await udpClient(port);
    expect(await client.ask('who?')).toBe('a');
    listener.update({ ...plan, targets: [second!] });
    expect(await client.ask('who?')).toBe('a');
    expect(await (await udpClient(port)).ask('who?')).toBe('b');
    expect(reports.ends).toEqual([]);
  });

  it('drains: lets answers that are under way through, and takes nobody new', async () => {
    const held: (() => void)[] = [];
    const target = await udpServer(() => null);
    target.socket.on('message', (_datagram, { port }) =>
      held.push(() => target.socket.send('late', port, '127.0.0.1')),
    );
    const { port, reports, listener } = await serveUdp({ targets: [target] });
    const client = await udpClient(port);
    client.say('slow');
    await eventually(() => held.length === 1);
    const drained = listener.drain(10_000);
    held[0]!();
    (await udpClient(port)).say('too late');
    expect((await client.answer()).toString()).toBe('late');
    await reports.until(() => reports.refusals.length === 1);
    await drained;
    expect(reports.refusals).toEqual(['draining']);
    expect((await reports.end()).reason).toBe('drained');
    // The port is free again.
    await udpServer(() => 'me', { port });
  });

  it('makes a record of each datagram', async () => {
    const where = await folder();
    const sink = await opened({ file: 'out.jsonl' }, { where });
    const { port, reports } = await serveUdp({ sink });
    const [one, other] = await Promise.all([udpClient(port), udpClient(port)]);
    one!.say('first\nstill first');
    one!.say(Buffer.from([0, 255]));
    one!.say('');
    await reports.until(() => reports.datagrams.received === 3);
    other!.say('else');
    await reports.until(() => reports.datagrams.received === 4);
    await sink.close();
    const records = parse(readFileSync(path.join(where, 'out.jsonl'), 'utf8'));
    expect(records.map(({ sequence, text, base64, bytes }) => [sequence, text ?? base64, bytes])).toEqual([
      [1, 'first\nstill first', 17],
      [2, 'AP8=', 2],
      [3, '', 0],
      [1, 'else', 4],
    ]);
    const { address, port: from } = one!.socket.address();
    expect(records[0]).toMatchObject({ listener: 'web', client: `${address}:${from}` });
    expect(new Set(records.map(({ connection }) => connection)).size).toBe(2);
  });

  it('drops what a sink that stalls has no room for, and counts it in both books', async () => {
    const stdout = new Writable({ write() {} });
    const sink = await opened({ stdout: true }, { stdout });
    const { port, reports } = await serveUdp({ sink });
    const client = await udpClient(port);
    const long = Buffer.alloc(60_000, 'x');
    for (let i = 0; !reports.datagrams.backlog; i++) {
      client.say(long);
      await reports.until(() => reports.datagrams.received === i + 1);
    }
    expect(sink.counters().dropped).toEqual({ backlog: 1 });
    // Four of them may wait, beyond what the sink itself takes before it makes others wait.
    expect(reports.datagrams.received! - sink.counters().accepted).toBe(5);
  });

  it('drops what is longer than the listener takes', async () => {
    const where = await folder();
    const sink = await opened({ file: 'out.jsonl' }, { where });
    const { port, reports } = await serveUdp({ sink, config: { limits: { frame: '100B' } } });
    const client = await udpClient(port);
    client.say('x'.repeat(101));
    client.say('x'.repeat(100));
    await reports.until(() => reports.datagrams.received === 2);
    expect([reports.datagrams['too-large'], sink.counters().accepted]).toEqual([1, 1]);
    await sink.close();
  });
});
