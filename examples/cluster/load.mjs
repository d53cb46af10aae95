// Two clients that never stop asking: a plain one of the listener on host1, and one that dials the service by its name.
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { dial } from '../../dist/index.js';

const [, , listener, registry] = process.argv;
const breaker = { openMs: 2000, longestMs: 8000 };
const patience = { connectTimeoutMs: 1000, answerTimeoutMs: 1000 };
const pool = dial('api', { registry, breaker, ...patience, retry: { backoff: { min: 50, max: 1000 } } });
const told = [];
for (const event of ['open', 'half-open', 'closed'])
  pool.on(event, ({ target }) => told.push(`${target.split(':')[0]} ${event}`));

const none = () => ({ requests: 0, failures: {}, slowestMs: 0, from: {} });
let results = { listener: none(), dial: none() };

/** A connection of its own for each request, and no second try: what fails here, a user would see. */
const plain = () =>
  new Promise((resolve, reject) => {
    get(listener, { agent: false, timeout: 2000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.once('end', () => resolve(text)).once('error', reject);
    })
      .once('timeout', function () {
        this.destroy(new Error('no answer within 2s'));
      })
      .once('error', reject);
  });

const dialled = async () => (await pool.fetch('/')).text();

async function keepAsking(name, ask) {
  for (;;) {
    const started = performance.now();
    let outcome;
    try {
      outcome = { host: (await ask()).split(' ')[0] };
    } catch (error) {
      outcome = { error: error.message };
    }
    // Counted when it ends: what was under way when a host was lost belongs to the loss.
    const result = results[name];
    result.requests += 1;
    result.slowestMs = Math.max(result.slowestMs, Math.round(performance.now() - started));
    if (outcome.host) result.from[outcome.host] = (result.from[outcome.host] ?? 0) + 1;
    else result.failures[outcome.error] = (result.failures[outcome.error] ?? 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (let i = 0; i < 4; i++) {
  keepAsking('listener', plain);
  keepAsking('dial', dialled);
}
// Each line that comes in is answered by what has happened since the last one.
createInterface({ input: process.stdin })
  .on('line', () => {
    process.stdout.write(`${JSON.stringify({ ...results, told: told.splice(0) })}\n`);
    results = { listener: none(), dial: none() };
  })
  .on('close', () => process.exit(0));
