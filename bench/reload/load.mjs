// Steady load on one address, for tests and measurements of changes under load: counts every request that does not go well.
// node load.mjs <port> <keep-alive connections> <short connections a second> [tls]; says `started`, and at the end of its
// input what happened, as JSON.
import { connect } from 'node:net';
import { connect as secure } from 'node:tls';

const [port, kept, shortRate] = process.argv.slice(2, 5).map(Number);
const isSecure = process.argv[5] === 'tls';
/** A keep-alive connection asks this often, so many times, and then another takes its place. */
const askEvery = 500;
const asksEach = 10;
/** Milliseconds without an answer. */
const patience = 15_000;
const counts = { requests: 0, connections: 0, slowestMs: 0, failed: {} };
const examples = [];
let stopping = false;
let open = 0;
let finish = () => {};

function fail(reason, detail) {
  counts.failed[reason] = (counts.failed[reason] ?? 0) + 1;
  if (examples.length < 20) examples.push(`${new Date().toISOString()} ${reason} ${detail}`);
}

/** Opens a connection and asks `asks` times over it. */
function visit(asks) {
  open += 1;
  counts.connections += 1;
  const socket = isSecure
    ? secure({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect(port, '127.0.0.1');
  let left = asks;
  let text = '';
  let asked = performance.now();
  let waiting = true;
  let over = false;
  const timer = setTimeout(() => end('silent', `left ${left}`), patience + asks * askEvery);
  const end = (reason, detail) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    socket.destroy();
    if (reason) fail(reason, `${detail}; request ${asks - left + 1} of ${asks}`);
    open -= 1;
    if (asks > 1 && !stopping) visit(asks);
    if (stopping && open === 0) finish();
  };
  const ask = () => {
    waiting = true;
    asked = performance.now();
    socket.write(`GET / HTTP/1.1\r\nhost: x\r\n${left === 1 ? 'connection: close\r\n' : ''}\r\n`);
  };
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
    const head = text.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    if (text.length < head + 4 + length) return;
    if (!text.startsWith('HTTP/1.1 200')) return end('answer', text.slice(0, 40));
    text = '';
    waiting = false;
    counts.requests += 1;
    counts.slowestMs = Math.max(counts.slowestMs, performance.now() - asked);
    left -= 1;
    if (left === 0 || stopping) end();
    else setTimeout(() => !over && ask(), askEvery);
  });
  socket.on('error', (error) => end(error.code ?? 'error', error.message));
  socket.on('end', () => end(waiting ? 'ended-early' : 'ended-idle', ''));
  socket.once(isSecure ? 'secureConnect' : 'connect', ask);
}

for (let i = 0; i < kept; i++) setTimeout(() => visit(asksEach), (i * askEvery * asksEach) / kept);
let due = performance.now();
const timer = setInterval(() => {
  for (; due <= performance.now(); due += 1000 / shortRate) visit(1);
}, 5);
console.log('started');
process.stdin.resume();
process.stdin.once('end', () => {
  stopping = true;
  clearInterval(timer);
  const failures = () => Object.values(counts.failed).reduce((sum, each) => sum + each, 0);
  finish = () => {
    console.log(
      JSON.stringify({ ...counts, slowestMs: Math.round(counts.slowestMs), failures: failures(), examples }),
    );
    process.exit(0);
  };
  if (open === 0) finish();
});
