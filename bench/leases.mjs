// Leases among many processes: how many grants a second, and how often others give one port to two at the same time.
// --seconds=N (default 10) and --rounds=N (default 50) set the length.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from '../scripts/setup.mjs';
import { report, table } from './harness.mjs';

const option = (name, fallback) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? fallback);
const seconds = option('seconds', 10);
const rounds = option('rounds', 50);
const range = { first: 16_000, last: 31_999 };

const cache = path.join(root, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const scripts = mkdtempSync(path.join(cache, 'reeve-bench-'));
const bundle = async (source) => {
  const outfile = path.join(scripts, `${path.basename(source).split('.')[0]}.mjs`);
  const settings = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' };
  await build({ entryPoints: [path.join(root, source)], outfile, ...settings });
  return outfile;
};

/** `count` workers on a fresh lease book, each ready. */
async function workers(script, count, orders) {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-bench-leases-'));
  const all = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const child = fork(script, [JSON.stringify({ ...orders, id: `w${i}`, folder, range })]);
      await once(child, 'message');
      return child;
    }),
  );
  const end = async () => {
    const ended = all.map((child) => child.exitCode ?? once(child, 'exit'));
    // Some have ended by themselves.
    for (const child of all) child.send('stop', () => {});
    await Promise.all(ended);
    rmSync(folder, { recursive: true, force: true });
  };
  return { all, end };
}

/** Grants a second, all processes together: each takes ports, proves them by binding, and gives them back. */
async function rate(script, processes, count) {
  const orders = { mode: 'rate', ttlMs: 15_000, quarantineMs: 0, count };
  const { all, end } = await workers(script, processes, orders);
  const counts = all.map(async (child) => (await once(child, 'message'))[0]);
  for (const child of all) child.send('go');
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  for (const child of all) child.send('stop');
  const told = await Promise.all(counts);
  await end();
  const grants = told.reduce((sum, each) => sum + each.grants, 0);
  return {
    perSecond: told.reduce((sum, each) => sum + (each.grants / each.ms) * 1000, 0),
    cpuMicroseconds: (told.reduce((sum, each) => sum + each.cpuMs, 0) / grants) * 1000,
  };
}

/** Ports that two processes were given in the same round; twenty processes ask for five each. */
async function collisions(script) {
  const { all, end } = await workers(script, 20, { mode: 'ask', ttlMs: 15_000, quarantineMs: 100 });
  let count = 0;
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    const answers = all.map(async (child) => (await once(child, 'message'))[0].ports);
    for (const child of all) child.send('go');
    const ports = (await Promise.all(answers)).flat();
    count += ports.length - new Set(ports).size;
  }
  const ms = (performance.now() - start) / rounds;
  await end();
  return { count, ms };
}

try {
  const worker = await bundle('test/fixtures/leases/worker.ts');
  const prober = await bundle('bench/leases/prober.mjs');
  const peers = {
    'reeve lease': worker,
    'get-port': await bundle('bench/leases/get-port.mjs'),
    'probing as portpicker does': prober,
  };
  const rows = [];
  for (const [name, script] of Object.entries(peers)) {
    const { count, ms } = await collisions(script);
    rows.push([name, `${count} of ${rounds * 100}`, `${ms.toFixed(0)} ms`]);
  }
  const rates = [];
  for (const [processes, count] of [
    [1, 1],
    [8, 1],
    [64, 1],
    [64, 5],
  ]) {
    rates.push([processes, count, await rate(worker, processes, count)]);
  }
  const { version } = JSON.parse(readFileSync(path.join(root, 'node_modules/get-port/package.json'), 'utf8'));
  const sqlite = JSON.parse(
    readFileSync(path.join(root, 'node_modules/@photostructure/sqlite/package.json'), 'utf8'),
  ).version;
  report('leases', {
    title: 'Leases among processes',
    body: `Warm processes that take ports and give them back as fast as they can, each port proved by binding TCP and UDP on both
families, for ${seconds} s (goal: 5,000 grants/s). The processor time tells what an idle machine would do:

${table(
  ['processes', 'ports a request', 'grants/s', 'CPU time of a grant and its release'],
  rates.map(([processes, count, { perSecond, cpuMicroseconds }]) => [
    processes,
    count,
    perSecond.toFixed(0),
    `${cpuMicroseconds.toFixed(0)} µs`,
  ]),
)}

Ports given to two processes at once, where twenty ask for five each at the same time, ${rounds} rounds (goal: none):

${table(['', 'collisions', 'a round'], rows)}

\`reeve lease\` also parks the ports, writes the audit, and has taken and given back each port in that time. Where the time
of a grant goes: docs/decisions/0013-where-a-grant-goes.md.`,
    versions: [`get-port ${version}`, `@photostructure/sqlite ${sqlite}`],
  });
} finally {
  rmSync(scripts, { recursive: true, force: true });
}
