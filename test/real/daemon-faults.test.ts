// A target that is killed or stands still under load: only what was on its way there fails, and nothing after the verdict.
import { expect, onTestFinished, test } from 'vitest';
import { eventually, startNode } from '../support/children.ts';
import { addressOf, ask, house, start } from './daemon-support.ts';

const server = `const { createServer } = require('node:http');
createServer((_, response) => response.setHeader('connection', 'close').end(String(process.pid)))
  .listen(0, '127.0.0.1', function () { console.log(this.address().port) });`;

interface Visit {
  begun: number;
  ended: number;
  /** The PID that has answered; null: it failed. */
  by: number | null;
}

test.each(['SIGKILL', 'SIGSTOP'] as const)('%s of a target', async (fault) => {
  const [victim, other] = [await startNode(server), await startNode(server)];
  const check = '{ http: /, interval: 1s, fastInterval: 200ms, timeout: 2s, fall: 3 }';
  const daemon = await start(
    house(`
listeners:
  web:
    bind: ["127.0.0.1:0"]
    balance: { targets: ["127.0.0.1:${victim.line}", "127.0.0.1:${other.line}"], check: ${check} }
`),
  );
  const web = addressOf(daemon, 'web');
  const visits: Visit[] = [];
  let open = 0;
  // Its place in the order of events, not a time.
  let order = 0;
  const visit = async () => {
    const one: Visit = { begun: order++, ended: Number.POSITIVE_INFINITY, by: null };
    visits.push(one);
    open += 1;
    one.by = await ask(web, '/').then(
      ({ text }) => Number(text) || null,
      () => null,
    );
    one.ended = order++;
    open -= 1;
  };
  const load = setInterval(() => void visit(), 20);
  onTestFinished(() => clearInterval(load));
  await eventually(() => {
    const seen = new Set(visits.map(({ by }) => by));
    const verdicts = daemon.status().listeners[0]!.targets.map(({ verdict }) => verdict);
    return seen.has(victim.pid) && seen.has(other.pid) && verdicts.every((each) => each === 'up');
  });
  const atFault = order++;
  const began = performance.now();
  victim.process.kill(fault);
  await eventually(() => daemon.status().listeners[0]!.targets[0]!.verdict === 'down', 30_000);
  const took = performance.now() - began;
  // The engine has heard of it when what was open to the target has been ended.
  await eventually(() => daemon.status().listeners[0]!.targets[0]!.connections.active === 0, 30_000);
  const atVerdict = order++;
  // From here on the other one answers everything.
  await eventually(
    () => visits.filter(({ begun, by }) => begun > atVerdict && by !== null).length > 50,
    30_000,
  );
  clearInterval(load);
  // Connections to a target that is down are ended.
  await eventually(() => open === 0, 30_000);
  const failed = visits.filter(({ by }) => by === null);
  const late = failed.filter(({ begun }) => begun > atVerdict);
  expect(late).toEqual([]);
  if (fault === 'SIGKILL') {
    // Refused connections go to the other one: only what the victim had already is lost.
    expect(failed.filter(({ begun }) => begun > atFault)).toEqual([]);
  }
  expect(failed.filter(({ ended }) => ended < atFault)).toEqual([]);
  console.info(
    `${fault}: down after ${Math.round(took)} ms, ${failed.length} of ${visits.length} requests failed`,
  );
});
