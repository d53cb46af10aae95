// What a relay worker must stand: `--connections=N` short ones (default 200,000) without a descriptor or memory lost, and
// its end by SIGKILL, with nobody refused until another has taken its place.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, memoryOf, report, table } from './harness.mjs';
import { contenders, programs, versions } from './relay/contenders.mjs';
import { greeted, requests } from './relay/measures.mjs';
import { createStage, startTarget } from './relay/stage.mjs';

const wanted = Number(process.argv.find((word) => word.startsWith('--connections='))?.slice(14) ?? 200_000);
const deaths = 9;

/** Those that serve come before the one that is kept ready: it is always the youngest. */
const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

/** Once what the last round has left is over. */
async function stateOf(pid) {
  await sleep(1000);
  const kinds = { socket: 0, pipe: 0, other: 0 };
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const kind = readlinkSync(`/proc/${pid}/fd/${fd}`).split(':')[0];
    kinds[kind in kinds ? kind : 'other'] += 1;
  }
  return { ...kinds, memory: memoryOf([pid]) };
}

const rowOf = (name, { socket, pipe, other, memory }) => [
  name,
  socket,
  pipe,
  other,
  `${(memory / 2 ** 20).toFixed(1)} MiB`,
];

/** Connects again and again; how often it was refused. */
async function knock(port, until) {
  const counts = { tried: 0, refused: 0 };
  while (!until.aborted) {
    counts.tried += 1;
    await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.resetAndDestroy());
      socket.once('error', ({ code }) => {
        if (code === 'ECONNREFUSED') counts.refused += 1;
      });
      socket.once('close', resolve);
    });
    await sleep(2);
  }
  return counts;
}

const stage = createStage();
try {
  const [target] = await startTarget(stage, programs.nginx);
  const one = await contenders['reeve (native)'](stage, target);
  const [worker] = childrenOf(one.pid);
  await requests(one, 1, '-H', 'Connection: close');
  const states = [['before', await stateOf(worker)]];
  const began = performance.now();
  let made = 0;
  for (let tenth = 1; tenth <= 10; tenth++) {
    while (made < (wanted * tenth) / 10) {
      made += (await requests(one, Math.min(10, Math.ceil(wanted / 20_000)), '-H', 'Connection: close'))
        .count;
    }
    if (tenth === 5) states.push([`after ${made}`, await stateOf(worker)]);
  }
  const seconds = (performance.now() - began) / 1000;
  states.push([`after ${made}`, await stateOf(worker)]);

  const over = new AbortController();
  const knocking = knock(one.port, over.signal);
  const times = [];
  for (let death = 0; death < deaths; death++) {
    await sleep(2500);
    process.kill(childrenOf(one.pid)[0], 'SIGKILL');
    const killed = performance.now();
    (await greeted(one.port)).destroy();
    times.push(performance.now() - killed);
  }
  over.abort();
  const { tried, refused } = await knocking;
  report('workers', {
    title: 'Relay workers: many connections, and their death',
    body: `${made} short connections through one worker in ${Math.round(seconds)} s; what it has open, and its memory (PSS):

${table(
  ['', 'sockets', 'pipes', 'other descriptors', 'memory'],
  states.map((row) => rowOf(...row)),
)}

The only worker ended by SIGKILL ${deaths} times: a request that comes then is answered after ${median(times).toFixed(0)} ms (median; at
most ${Math.max(...times).toFixed(0)} ms; goal: a new one accepts within 100 ms). Of ${tried} connections attempted all the while ${refused} were refused.`,
    versions: [versions()[1]],
  });
} finally {
  await stage.end();
}
