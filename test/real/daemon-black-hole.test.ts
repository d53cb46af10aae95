// A target whose link goes away under load: no answer of any kind comes from there, and it comes back.
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { eventually, startNode } from '../support/children.ts';
import { join, namespace } from '../support/namespace.ts';
import { needs } from '../support/parts.ts';
import { up } from './daemon-process.ts';
import { house } from './daemon-support.ts';

/** Answers checks at once, and everybody else after a while, so that some are on their way at any time. */
const server = (host: string) => `const { createServer } = require('node:http');
createServer(({ url }, response) => {
  const answer = () => response.setHeader('connection', 'close').end(String(process.pid));
  setTimeout(answer, url === '/check' ? 0 : 200);
}).listen(0, '${host}', function () { console.log(this.address().port) });`;

/** What was seen where the daemon is, in order. `by`: the PID that has answered; null: it failed. */
type Seen =
  | { begun: number }
  | { ended: number; by: number | null }
  | { verdict: string; ejected: boolean; failures: number; active: number; total: number };

/** One request every 20 ms, and what the daemon says of its first target whenever that has changed. */
const watcher = (web: string, control: string) => `const { get } = require('node:http');
const tell = (what) => console.log(JSON.stringify(what));
const ask = (url, then) => get(url, { agent: false }, (response) => {
  let text = '';
  response.setEncoding('utf8').on('data', (part) => { text += part; });
  response.on('end', () => then(text)).on('error', () => then(null));
}).on('error', () => then(null));
let count = 0;
setInterval(() => {
  const number = count++;
  tell({ begun: number });
  ask('http://${web}/', (text) => tell({ ended: number, by: Number(text) || null }));
}, 20);
let last = '';
const look = () => ask('http://${control}/api/v1/status', (text) => {
  const { verdict, ejectedUntil, failures, connections } = JSON.parse(text).listeners[0].targets[0];
  const now = { verdict, ejected: ejectedUntil !== null, failures, ...connections };
  if (JSON.stringify(now) !== last) tell(now);
  last = JSON.stringify(now);
  setTimeout(look, 20);
});
look();`;

const runs = needs('a target whose link is down', 'linux', 'root', 'ip');

describe.runIf(runs).each(['native', 'portable'])('a target whose link is down (%s)', (engine) => {
  test('costs what was on its way there, until it is back', async () => {
    await using here = await namespace();
    await using there = await namespace();
    await join(here, there, ['192.0.2.1/30'], ['192.0.2.2/30']);
    const victim = await startNode(server('192.0.2.2'), { prefix: there.prefix });
    const other = await startNode(server('127.0.0.1'), { prefix: here.prefix });
    const targets = `["192.0.2.2:${victim.line}", "127.0.0.1:${other.line}"]`;
    const check = '{ http: /check, interval: 1s, fastInterval: 200ms, timeout: 500ms, fall: 3 }';
    const home = house(`
relay: { engine: ${engine}, workers: 2 }
listeners:
  web:
    bind: ["127.0.0.1:8080"]
    balance: { targets: ${targets}, check: ${check}, connectTimeout: 300ms, eject: { for: 1s } }
`);
    const daemon = await up(home, [], {}, here.prefix);
    const { process: watching } = await startNode(watcher('127.0.0.1:8080', daemon.control), {
      prefix: here.prefix,
    });
    const seen: Seen[] = [];
    createInterface({ input: watching.stdout! }).on('line', (line) => seen.push(JSON.parse(line)));
    const answers = (from: number, pid: number) =>
      seen.slice(from).filter((each) => 'by' in each && each.by === pid).length;
    /** The place of the first that is so, once there is one. */
    const first = async (from: number, is: (each: Seen) => boolean) => {
      await eventually(() => seen.slice(from).some(is), 40_000);
      return seen.findIndex((each, i) => i >= from && is(each));
    };
    const isUp = (each: Seen) => 'verdict' in each && each.verdict === 'up';
    const isDown = (each: Seen) => 'verdict' in each && each.verdict === 'down';
    await first(0, isUp);
    await eventually(() => answers(0, victim.pid) > 20 && answers(0, other.pid) > 20);

    const atFault = seen.length;
    const began = performance.now();
    await there.ip('link', 'set', 'veth0', 'down');
    const failedAt = await first(atFault, (each) => 'failures' in each && each.failures > 0);
    const atVerdict = await first(atFault, isDown);
    const took = performance.now() - began;
    // What was open to it when the verdict came has been ended.
    const over = await first(atVerdict, (each) => isDown(each) && 'active' in each && each.active === 0);
    await eventually(() => answers(over, other.pid) > 50);
    expect(failedAt).toBeLessThan(atVerdict);

    const atRepair = seen.length;
    const repaired = performance.now();
    await there.ip('link', 'set', 'veth0', 'up');
    const atReturn = await first(atRepair, isUp);
    const returned = performance.now() - repaired;
    await eventually(() => answers(atReturn, victim.pid) > 20 && answers(atReturn, other.pid) > 20);
    watching.kill('SIGKILL');

    const begun = new Map(seen.flatMap((each, i) => ('begun' in each ? [[each.begun, i] as const] : [])));
    const failed = seen.flatMap((each, i) =>
      'ended' in each && each.by === null ? [{ begun: begun.get(each.ended)!, ended: i }] : [],
    );
    expect(failed.filter(({ ended }) => ended < atFault)).toEqual([]);
    // Who came later found no connection there within connectTimeout, and was served by the other one.
    expect(failed.filter(({ begun }) => begun > failedAt)).toEqual([]);
    const given = seen.slice(over, atRepair).flatMap((each) => ('total' in each ? [each.total] : []));
    expect(new Set(given).size).toBe(1);
    const ejected = seen.slice(atFault, atVerdict).some((each) => 'ejected' in each && each.ejected);
    console.info(
      `${engine}: down after ${Math.round(took)} ms, ${ejected ? 'ejected before' : 'not ejected'}, ` +
        `${failed.length} of ${begun.size} requests failed, up again after ${Math.round(returned)} ms`,
    );
  });
});
