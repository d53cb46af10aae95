// The relay beside HAProxy, nginx stream, Go and node:net, one worker each. `--rounds=N`, `--seconds=N` of each
// measurement, `--only=name,name` (which keeps no result).
import { execFileSync } from 'node:child_process';
import { median, ratio, report, table } from './harness.mjs';
import { contenders, programs, versions } from './relay/contenders.mjs';
import { bulk, idleMemory, latency, requests } from './relay/measures.mjs';
import { createStage, startTarget } from './relay/stage.mjs';

const option = (name, fallback) =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? fallback;
const rounds = Number(option('rounds', 5));
const seconds = Number(option('seconds', 3));
const only = option('only', null)?.split(',');
/** As many as this machine lets a process have descriptors for: two each, and six where each has pipes of its own. */
const openFiles = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })) || 1_000_000;
// At nine tenths of its descriptors reeve takes nobody new.
const idleConnections = Math.min(10_000, Math.floor((openFiles * 0.85) / 2));
const idleWithPipes = Math.min(idleConnections, Math.floor((openFiles - 1000) / 6));
const keepsPipes = new Set(['HAProxy (splice)', 'Go (io.Copy)']);

/** Each contender once a round, in turn, the first round for warming up; the median of each value. */
async function measure(running, measurement) {
  const values = Object.fromEntries(Object.keys(running).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, contender] of Object.entries(running)) {
      const value = await measurement(contender);
      if (round > 0) values[name].push(value);
    }
  }
  const medians = (all) =>
    Object.fromEntries(Object.keys(all[0]).map((key) => [key, median(all.map((value) => value[key]))]));
  const results = Object.fromEntries(Object.entries(values).map(([name, all]) => [name, medians(all)]));
  console.error(results);
  return results;
}

/** One row a contender; `columns` are [key, how to write it]. Ratios are ours to theirs. */
function rowsOf(results, columns) {
  const ours = results['reeve (native)'] ?? Object.values(results)[0];
  return Object.entries(results).map(([name, value]) => [
    name,
    ...columns.flatMap(([key, write]) => [write(value[key]), ratio(ours[key], value[key])]),
  ]);
}

const count = (number) => String(Math.round(number));
const micro = (number) => `${number.toFixed(1)} µs`;
const two = (number) => number.toFixed(2);
const milli = (number) => `${number.toFixed(1)} ms`;
const kilo = (number) => `${(number / 1024).toFixed(1)} KiB`;

const stage = createStage();
try {
  const targets = await startTarget(stage, programs.nginx);
  const running = {};
  for (const [name, begin] of Object.entries(contenders)) {
    if (!only || only.includes(name)) running[name] = await begin(stage, targets.shift());
  }
  const kept = await measure(running, (one) => requests(one, seconds));
  const fresh = await measure(running, (one) => requests(one, seconds, '-H', 'Connection: close'));
  const large = await measure(running, bulk);
  const load = Math.min(...Object.values(kept).map(({ rate }) => rate)) / 2;
  const delays = await measure(running, (one) => latency(one, load, seconds));
  const idle = {};
  for (const [name, one] of Object.entries(running)) {
    idle[name] = { bytes: await idleMemory(one, keepsPipes.has(name) ? idleWithPipes : idleConnections) };
  }
  console.error(idle);
  const body = `One worker or thread each, 64 connections of wrk on the same two cores, the same target (nginx) behind all of them.
CPU is that of the whole relay; reeve's includes its control process.

Requests over connections that stay (goal: at least 1.0 × the better of HAProxy and nginx):

${table(
  ['relay', 'requests/s', 'reeve / it', 'CPU a request', 'reeve / it'],
  rowsOf(kept, [
    ['rate', count],
    ['cost', micro],
  ]),
)}

A connection for each request (goal: at least 1.0 ×):

${table(
  ['relay', 'connections/s', 'reeve / it', 'CPU a connection', 'reeve / it'],
  rowsOf(fresh, [
    ['rate', count],
    ['cost', micro],
  ]),
)}

1 GiB over one connection (goal: CPU at most 0.5 × per GB):

${table(
  ['relay', 'GB/s', 'reeve / it', 'CPU s per GB', 'reeve / it'],
  rowsOf(large, [
    ['rate', two],
    ['cost', two],
  ]),
)}

Time of a request at ${count(load)} requests/s over 50 connections, half of what the slowest can do:

${table(
  ['relay', 'half within', 'reeve / it', '99 % within', 'reeve / it'],
  rowsOf(delays, [
    ['half', milli],
    ['p99', milli],
  ]),
)}

Memory for each of ${idleConnections} connections that say nothing, without the kernel's buffers (${idleWithPipes} for the two that\nkeep pipes for each):

${table(['relay', 'memory', 'reeve / it'], rowsOf(idle, [['bytes', kilo]]))}`;
  if (!only) report('relay', { title: 'Relay: connections through one worker', body, versions: versions() });
} finally {
  await stage.end();
}
