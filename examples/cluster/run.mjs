// Three hosts with Consul and reeve, under load, while agents, a service and a host are lost. Linux, root, consul and ip.
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createHosts, pause } from './hosts.mjs';

const reeveFile = path.join(import.meta.dirname, '../../dist/reeve.cjs');
const config = path.join(import.meta.dirname, 'reeve.yaml');
// `npm test` unpacks the programs that are not installed.
const parts = path.join(import.meta.dirname, '../../.parts');
process.env.PATH += ['', '/usr/sbin', '/sbin', `${parts}/usr/bin`, `${parts}/bin`].join(path.delimiter);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));

const missing = ['ip', 'unshare', 'consul'].filter(
  (name) => !process.env.PATH.split(path.delimiter).some((folder) => existsSync(path.join(folder, name))),
);
if (process.getuid?.() !== 0) missing.unshift('root');
if (missing.length > 0) {
  console.error(`cluster: this needs Linux, root, ip, unshare and consul; missing: ${missing.join(', ')}`);
  process.exit(2);
}
const hosts = await createHosts();
let summary;
try {
  summary = await main();
} catch (error) {
  console.error(`cluster: ${error.message}`);
  process.exitCode = stopping.signal.aborted ? 130 : 1;
} finally {
  await hosts.remove();
}
if (summary) console.log(`\n${summary}`);
process.exit();

async function main() {
  const hub = await hosts.host('hub', '10.77.0.254');
  const [host1, host2, host3] = [
    await hosts.host('host1', '10.77.0.1'),
    await hosts.host('host2', '10.77.0.2'),
    await hosts.host('host3', '10.77.0.3'),
  ];
  const three = [host1, host2, host3];
  await hosts.join(hub, three);
  hub.agent = startAgent(hub, ['-server', '-bootstrap-expect=1']);
  for (const host of three)
    host.agent = startAgent(host, [`-retry-join=${hub.address}`, '-retry-interval=1s']);
  await until('an agent answers on every host', async () => {
    for (const host of [hub, ...three]) await host.run('consul', 'kv', 'get', '-keys', '');
    return true;
  });
  for (const host of three) {
    host.daemon = host.start(process.execPath, reeveFile, 'up', '-c', config);
    host.daemon.once(
      'exit',
      (code) =>
        stopping.signal.aborted ||
        hosts.ending ||
        console.error(`${host.name}: reeve ended with ${code}\n${host.daemon.said}`),
    );
  }
  await agreed(hub, three);
  const load = hub.start(
    process.execPath,
    ...[path.join(import.meta.dirname, 'load.mjs'), `http://${host1.address}:8080/`, 'http://127.0.0.1:8500'],
  );
  const lines = createInterface({ input: load.stdout })[Symbol.asyncIterator]();
  const total = { listener: [0, 0], dial: [0, 0] };

  /** Does it, waits until Consul and reeve agree on who is left, and tells what the clients have met meanwhile. */
  async function step(title, act, expected) {
    const started = performance.now();
    await act();
    const rows = await agreed(hub, expected);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    // What was under way when a host was lost takes the plain client 2 s to give up.
    await pause(expected.length < 3 ? 2500 : 1000);
    load.stdin.write('\n');
    const { value } = await within(lines.next(), 'the load has ended', 20_000);
    const { told, ...clients } = JSON.parse(value);
    console.log(`\n${title}`);
    console.log(`  Consul and reeve agree after ${seconds} s: ${rows.join(', ')}`);
    for (const [name, { requests, failures, slowestMs, from }] of Object.entries(clients)) {
      const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
      total[name][0] += requests;
      total[name][1] += failed;
      const why = Object.entries(failures)
        .map(([reason, count]) => `${count} × ${reason}`)
        .join('; ');
      const who = Object.entries(from)
        .sort()
        .map(([host, count]) => `${host} ${count}`)
        .join(', ');
      console.log(
        `  ${name.padEnd(8)} ${requests} requests, ${failed} failed${why ? ` (${why})` : ''}, slowest ${slowestMs} ms: ${who}`,
      );
    }
    if (told.length > 0) console.log(`  dial's breakers: ${told.join(', ')}`);
  }

  await step('three hosts, nothing happens', async () => {}, three);
  await step(
    'the service on host2 is killed (SIGKILL); reeve starts it again',
    async () => {
      const before = await servicePid(host2);
      process.kill(before, 'SIGKILL');
      await until('the service runs again', async () => ![null, before].includes(await servicePid(host2)));
    },
    three,
  );
  await step("host3's Consul agent is killed", () => ended(host3.agent, 'SIGKILL'), [host1, host2]);
  await step("host3's agent is back", async () => restartAgent(host3, hub), three);
  await step(
    "host1's Consul agent is killed: its listener keeps the last good list",
    () => ended(host1.agent, 'SIGKILL'),
    [host2, host3],
  );
  await step("host1's agent is back", async () => restartAgent(host1, hub), three);
  await step("host2's link goes down", () => hub.ip('link', 'set', 'host2', 'down'), [host1, host3]);
  await step("host2's link is up again", () => hub.ip('link', 'set', 'host2', 'up'), three);
  hosts.ending = true;
  const words = Object.entries(total).map(
    ([name, [requests, failed]]) => `${name}: ${failed} of ${requests} requests failed`,
  );
  return `in all: ${words.join('; ')}`;
}

function startAgent(host, more) {
  const settings = {
    ports: { grpc: -1, dns: -1, serf_wan: -1 },
    disable_update_check: true,
    performance: { raft_multiplier: 1 },
    // A host that is lost is noticed within about 3 s.
    gossip_lan: { probe_interval: '500ms', probe_timeout: '300ms', suspicion_mult: 3 },
  };
  const file = path.join(host.folder, 'agent.json');
  writeFileSync(file, JSON.stringify(settings));
  const words = [
    `-bind=${host.address}`,
    `-data-dir=${host.folder}/consul`,
    `-node=${host.name}`,
    '-log-level=WARN',
  ];
  return host.start('consul', 'agent', ...words, `-config-file=${file}`, ...more);
}

function restartAgent(host, hub) {
  host.agent = startAgent(host, [`-retry-join=${hub.address}`, '-retry-interval=1s']);
}

async function ended(child, signal) {
  const gone = once(child, 'exit');
  process.kill(child.pid, signal);
  await gone;
}

async function servicePid(host) {
  const status = JSON.parse(await host.run(process.execPath, reeveFile, 'status', '--json', '-c', config));
  return status.services[0]?.instances[0]?.pid ?? null;
}

/** Until Consul's own command line and reeve's name the same instances, those of `expected`. Returns them. */
async function agreed(hub, expected) {
  let ofConsul = [];
  let ofReeve = [];
  const wanted = expected
    .map(({ address }) => address)
    .sort()
    .join();
  await until(
    () =>
      `Consul and reeve agree on ${wanted}: ${ofConsul.join(', ')} by consul watch, ${ofReeve.join(', ')} by reeve services`,
    async () => {
      const rows = JSON.parse(
        await hub.run('consul', 'watch', '-type=service', '-service=api', '-passingonly=true'),
      );
      ofConsul = (rows ?? []).map(({ Service }) => `${Service.Address}:${Service.Port}`).sort();
      // Asked on a host whose agent lives: of its daemon, which asks that agent.
      const words = ['services', 'api', '--json', '-c', config];
      const { instances } = JSON.parse(await expected[0].run(process.execPath, reeveFile, ...words));
      ofReeve = instances.map(({ host, port }) => `${host}:${port}`).sort();
      const found = ofConsul.map((row) => row.split(':')[0]).join();
      return ofConsul.join() === ofReeve.join() && found === wanted;
    },
  );
  return ofReeve;
}

async function until(what, ask, seconds = 60) {
  const deadline = performance.now() + seconds * 1000;
  let wrong = null;
  for (;;) {
    stopping.signal.throwIfAborted();
    try {
      if (await ask()) return;
    } catch (error) {
      wrong = error;
    }
    if (performance.now() > deadline)
      throw new Error(
        `not so within ${seconds} s: ${typeof what === 'string' ? what : what()}${wrong ? ` (${wrong.message})` : ''}`,
      );
    await pause(100);
  }
}

async function within(promise, what, ms) {
  const late = pause(ms).then(() => {
    throw new Error(what);
  });
  return Promise.race([promise, late]);
}
