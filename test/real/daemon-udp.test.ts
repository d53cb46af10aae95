// UDP listeners of a whole daemon: configuration, status, metrics, conflicts, checks, reload.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/index.ts';
import { chooseEngines } from '../../src/daemon/engines.ts';
import { connectControl, type Daemon } from '../../src/daemon/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { testContext } from '../contract/engine-harness.ts';
import { eventually, startNode } from '../support/children.ts';
import { dnsmasq, resolverAt } from '../support/dnsmasq.ts';
import { needs } from '../support/parts.ts';
import { parse } from '../support/sinks.ts';
import { addressOf, ask, house, start } from './daemon-support.ts';
import { end, udpClient, udpServer } from './udp-support.ts';

const portOf = (daemon: Daemon, listener: string) => Number(addressOf(daemon, listener).split(':').at(-1));
const rowOf = (daemon: Daemon, listener: string) =>
  daemon.status().listeners.find(({ name }) => name === listener)!;

const echo = (targets: number[], more = '', bind = 'udp://127.0.0.1:0') => `
listeners:
  echo:
    bind: ["${bind}"]
    balance: { targets: [${targets.map((port) => `"127.0.0.1:${port}"`).join(', ')}]${more} }
`;

test('a daemon serves UDP, having reached itself before any target, and shows it', async () => {
  const target = await udpServer((datagram) => datagram);
  const where = house(`${echo([target.port])}
  intake: { bind: ["udp://127.0.0.1:0"], sink: events }
sinks: { events: { file: ./events.jsonl } }
`);
  const daemon = await start(where);
  expect(target.heard).toEqual([]);
  const client = await udpClient(portOf(daemon, 'echo'));
  expect(await client.ask('hello')).toBe('hello');
  const intake = await udpClient(portOf(daemon, 'intake'));
  intake.say('kept');
  await eventually(() => rowOf(daemon, 'intake').datagrams?.received === 1);
  const { binds, engine, connections, bytes, datagrams, targets } = rowOf(daemon, 'echo');
  expect(binds[0]).toMatchObject({ asked: 'udp://127.0.0.1:0', listening: true, verified: true });
  expect(binds[0]!.address).toMatch(/^udp:\/\/127\.0\.0\.1:\d+$/);
  expect(engine).toBe('portable');
  expect(connections).toEqual({ active: 1, total: 1 });
  expect([bytes, datagrams]).toEqual([
    { received: 5, sent: 5 },
    { received: 1, sent: 1, dropped: {} },
  ]);
  expect(targets[0]).toMatchObject({ id: target.id, connections: { active: 1, total: 1 } });
  const { text } = await ask(daemon.status().control, '/metrics');
  expect(text).toContain('portreeve_datagrams_total{listener="echo",direction="received"} 1');
  expect(text).toContain('portreeve_datagrams_dropped_total{listener="echo",reason="backlog"} 0');
  expect(text).toContain('portreeve_active_connections{listener="echo"} 1');
  await daemon.drainAndStop();
  const records = parse(readFileSync(path.join(where.folder, 'events.jsonl'), 'utf8'));
  expect(records).toMatchObject([{ text: 'kept', listener: 'intake', sequence: 1 }]);
});

test('sessions outlive a reload, also one that adds an address; a removed listener lets go of its port', async () => {
  const [first, second] = await Promise.all(['a', 'b'].map((name) => udpServer(() => name)));
  const port = (await udpServer(() => null)).socket;
  const fixed = port.address().port;
  end(port);
  const bind = `udp://127.0.0.1:${fixed}`;
  const where = house(echo([first!.port], '', bind));
  const daemon = await start(where);
  const client = await udpClient(fixed);
  expect(await client.ask('who?')).toBe('a');
  where.write(echo([second!.port], '', bind));
  await daemon.reload();
  expect(await client.ask('who?')).toBe('a');
  expect(await (await udpClient(fixed)).ask('who?')).toBe('b');
  where.write(echo([second!.port], '', `${bind}", "udp://127.0.0.1:0`));
  await daemon.reload();
  expect(await client.ask('who?')).toBe('a');
  expect(new Set(first!.heard.map(({ from }) => from.port)).size).toBe(1);
  expect(rowOf(daemon, 'echo').ended).toEqual({});
  where.write('');
  await daemon.reload();
  await eventually(() => daemon.status().listeners.length === 0);
  await eventually(async () => {
    const tried = createSocket('udp4').bind(fixed, '127.0.0.1');
    const bound = await Promise.race([
      once(tried, 'listening').then(() => true),
      once(tried, 'error').then(() => false),
    ]).catch(() => false);
    end(tried);
    return bound;
  });
});

test.runIf(needs('DNS servers behind a UDP listener', 'dnsmasq', 'linux'))(
  'DNS is balanced over two servers, and goes on when one is killed',
  async () => {
    const long = 'x'.repeat(200);
    const [one, two] = await Promise.all(
      ['10.0.0.1', '10.0.0.2'].map((address) =>
        dnsmasq([`--host-record=who.test,${address}`, `--txt-record=long.test,${long}`]),
      ),
    );
    const daemon = await start(house(echo([one!.port, two!.port])));
    const ask = () => resolverAt(portOf(daemon, 'echo')).resolve4('who.test');
    const answers = await Promise.all(Array.from({ length: 10 }, ask));
    expect(answers.flat().sort()).toEqual([
      ...Array<string>(5).fill('10.0.0.1'),
      ...Array<string>(5).fill('10.0.0.2'),
    ]);
    const resolver = resolverAt(portOf(daemon, 'echo'));
    expect(await resolver.resolveTxt('long.test')).toEqual([[long]]);
    await expect(resolver.resolve4('nowhere.test')).rejects.toThrow(/REFUSED|NOTFOUND/);
    await one!.kill();
    for (let i = 0; i < 4; i++) expect(await ask()).toEqual(['10.0.0.2']);
    const [dead] = rowOf(daemon, 'echo').targets;
    expect(dead!.failures).toBeGreaterThan(0);
  },
);

test('a service that speaks UDP alone is balanced over its instances, by a check of UDP', async () => {
  const where = house(`
services:
  app:
    command: ["${process.execPath}", udp.mjs]
    instances: 2
    check: { udp: true, send: ping, expect: pong, interval: 200ms, fastInterval: 100ms }
listeners:
  echo: { bind: ["udp://127.0.0.1:0"], balance: { service: app } }
`);
  const script = `
import { createSocket } from 'node:dgram';
const socket = createSocket('udp4');
socket.on('message', (datagram, { port, address }) =>
  socket.send(String(datagram) === 'ping' ? 'pong' : String(process.pid), port, address));
socket.bind(Number(process.env.PORT), '127.0.0.1');
`;
  writeFileSync(path.join(where.folder, 'udp.mjs'), script);
  const daemon = await start(where);
  const instances = () => daemon.status().services[0]!.instances;
  await eventually(() => instances().every(({ state }) => state === 'up'), 30_000);
  const clients = await Promise.all([1, 2, 3, 4].map(() => udpClient(portOf(daemon, 'echo'))));
  const pids = await Promise.all(clients.map((client) => client.ask('who?')));
  expect(new Set(pids)).toEqual(new Set(instances().map(({ pid }) => String(pid))));
});

test('conflicts are settled as for TCP: told with the holder, or the next port is taken', async () => {
  const holder = await udpServer(() => null);
  const where = house(echo([9], '', `udp://127.0.0.1:${holder.port}`));
  await expect(start(where)).rejects.toThrow(
    new RegExp(`cannot listen on udp://127\\.0\\.0\\.1:${holder.port}: .*PID ${process.pid}`),
  );
  where.write(
    `${echo([9], '', `udp://127.0.0.1:${holder.port}`).trimEnd()}\n    conflict: { policy: next }\n`,
  );
  const daemon = await start(where);
  expect(portOf(daemon, 'echo')).toBeGreaterThan(holder.port);
});

test('a holder is evicted where its name is allowed, and only then', async () => {
  const script = `process.title = 'squatter'; const socket = require('dgram').createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => console.log(socket.address().port))`;
  const holder = await startNode(script);
  const { processes } = await selectSystem();
  const { name } = (await processes.facts(holder.pid))!;
  const listener = (allowed: string) =>
    `${echo([9], '', `udp://127.0.0.1:${holder.line}`).trimEnd()}
    conflict: { policy: evict, for: 10s, allowEvict: [${allowed}] }
`;
  await expect(start(house(listener('somebody-else')))).rejects.toThrow(`PID ${holder.pid}`);
  expect(holder.process.exitCode).toBe(null);
  const ended = once(holder.process, 'exit');
  const daemon = await start(house(listener(name)));
  expect(portOf(daemon, 'echo')).toBe(Number(holder.line));
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test('a target that its check finds down loses its sessions, and the next datagram goes elsewhere', async () => {
  const healthy = (datagram: Buffer) => (datagram.toString() === 'ping' ? 'pong' : null);
  const [first, second] = await Promise.all(['a', 'b'].map((name) => udpServer((d) => healthy(d) ?? name)));
  const check =
    ', check: { udp: true, send: ping, expect: pong, interval: 100ms, fastInterval: 50ms, fall: 2, timeout: 1s }';
  const daemon = await start(house(echo([first!.port, second!.port], check)));
  const verdicts = () => rowOf(daemon, 'echo').targets.map(({ verdict }) => verdict);
  await eventually(() => verdicts().every((verdict) => verdict === 'up'));
  const client = await udpClient(portOf(daemon, 'echo'));
  const answered = await client.ask('who?');
  const [gone, left] = answered === 'a' ? [first!, second!] : [second!, first!];
  end(gone.socket);
  await eventually(() => verdicts().includes('down'));
  expect(await client.ask('who?')).toBe(left === first ? 'a' : 'b');
  expect(rowOf(daemon, 'echo').ended['target-down']).toBe(1);
});

test.runIf(needs('the choice of an engine', 'linux'))('auto takes the portable engine, and says why', () => {
  const parsed = parseConfig(echo([9]), { file: 'r', env: {} });
  if ('problems' in parsed) throw new Error('refused');
  const { listeners, relay } = parsed.config;
  const choose = chooseEngines({
    ...{ context: testContext(), relay, platform: process.platform },
    // Never started: there is nothing for it to carry.
    file: import.meta.filename,
  });
  const { engine, why } = choose(listeners.echo!);
  expect([engine.name, why]).toEqual(['portable', 'it is UDP, which the native engine does not do']);
});

test('a target where nobody is gets ejected, and one that drains keeps its sessions alone', async () => {
  const [one, two, gone] = await Promise.all(['a', 'b', 'c'].map((name) => udpServer(() => name)));
  const where = house(echo([one!.port, two!.port, gone!.port], ', eject: { failures: 2 }'));
  const daemon = await start(where);
  const port = portOf(daemon, 'echo');
  end(gone!.socket);
  const ejected = () => rowOf(daemon, 'echo').targets[2]!.ejectedUntil !== null;
  while (!ejected()) await (await udpClient(port)).ask('who?');
  expect(rowOf(daemon, 'echo').targets[2]!.failures).toBe(2);
  const stays = await udpClient(port);
  const answer = await stays.ask('who?');
  const drained = answer === 'a' ? one! : two!;
  const control = await connectControl({ configFile: where.file, env: process.env });
  await control.drain({ target: drained.id });
  for (let i = 0; i < 3; i++) expect(await (await udpClient(port)).ask('who?')).not.toBe(answer);
  expect(await stays.ask('who?')).toBe(answer);
  await control.drain({ target: drained.id, deadlineMs: 1 });
  await eventually(() =>
    rowOf(daemon, 'echo').targets.every(
      ({ id, connections }) => id !== drained.id || connections.active === 0,
    ),
  );
  expect(await stays.ask('who?')).not.toBe(answer);
});

test('what cannot go with UDP is refused, each by its place', () => {
  const text = `
relay: { engine: native }
listeners:
  a:
    bind: ["127.0.0.1:1", "udp://127.0.0.1:2"]
    balance: { targets: ["127.0.0.1:3"], retries: 1, check: { interval: 1s } }
    proxyProtocol: { send: v2 }
    limits: { firstBytes: 1s }
    tls: { cert: c, key: k }
  b: { bind: ["udp://[::]:7"], sink: s, frame: raw }
  c: { bind: ["127.0.0.1:7"], sink: s }
  d: { bind: ["udp://127.0.0.1:7"], sink: s }
sinks: { s: { stdout: true } }
`;
  const parsed = parseConfig(text, { file: 'r', env: {} });
  const problems = 'problems' in parsed ? parsed.problems : [];
  expect(
    problems.map(({ path, message }) => `${path}: ${message}`).filter((line) => !line.includes('native')),
  ).toMatchInlineSnapshot(`
    [
      "listeners.a.bind[1]: a listener has one protocol, TCP or UDP: give this address to a listener of its own",
      "listeners.a.balance.retries: not for UDP: after a failure the next datagram goes to the next target",
      "listeners.a.balance.check: targets of UDP are checked by udp: true, or by another way that is named",
      "listeners.a.proxyProtocol.send: not for UDP: the PROXY protocol is spoken over TCP alone here",
      "listeners.a.limits.firstBytes: not for UDP: a session of UDP begins with its first datagram",
      "listeners.a.tls: not for UDP: TLS is spoken over TCP alone",
      "listeners.b.frame: not for UDP: a datagram is one record, as it came",
      "listeners.d.bind[0]: udp://127.0.0.1:7 overlaps with udp://[::]:7 of listener 'b': [::] takes IPv4 as well, unless v6only is true",
    ]
  `);
  expect(problems.filter(({ message }) => message.startsWith('UDP is carried by the portable'))).toHaveLength(
    3,
  );
});
