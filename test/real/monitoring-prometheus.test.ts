// A real Prometheus that scrapes a real daemon with traffic: every expression of the examples has an answer.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../support/children.ts';
import { needs, program } from '../support/parts.ts';
import { addressOf, appService, ask, house, start } from './daemon-support.ts';
import { greeter, keepConnecting } from './dashboard-support.ts';

const folder = path.resolve(import.meta.dirname, '../../examples/monitoring');
const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');

/** What Grafana puts in: every host, and a time that has some scrapes in it. */
const filled = (expr: string) => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '10s');

/** Each expression, and of an alert also what it compares: a healthy daemon has that and not more. */
function expressions(): { panels: string[]; alerts: Map<string, string> } {
  const { panels } = JSON.parse(read('grafana.json')) as { panels: { targets: { expr: string }[] }[] };
  const { groups } = parse(read('alerts.yml')) as { groups: { rules: { alert: string; expr: string }[] }[] };
  return {
    panels: panels.flatMap(({ targets }) => targets.map(({ expr }) => filled(expr))),
    alerts: new Map(groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr]))),
  };
}

/** These come true here: a target and a check that nobody answers, a limit that is reached. */
const firing = new Set(['ReeveTargetDown', 'ReeveCheckDown', 'ReeveRefusals']);

test.runIf(needs('Prometheus on the examples', 'prometheus', 'linux'))(
  'Prometheus answers every expression of the dashboard and of the alerts',
  async () => {
    const one = await greeter();
    const daemon = await start(
      house(`
services:${appService}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
  worn:
    bind: ["127.0.0.1:0"]
    balance: { targets: ["127.0.0.1:${one.port}", "127.0.0.1:1"], check: { tcp: true, interval: 300ms, fall: 1 } }
  unchecked: { bind: ["127.0.0.1:0"], balance: { targets: ["127.0.0.1:1"], retries: 0 } }
  lines: { bind: ["127.0.0.1:0"], frame: line, sink: file, limits: { rate: 2/s } }
sinks: { file: { file: ./lines.jsonl } }
checks:
  nobody: { url: "tcp://127.0.0.1:1", interval: 300ms, fall: 1 }
`),
    );
    for (const name of ['web', 'worn', 'unchecked', 'lines']) keepConnecting(addressOf(daemon, name), 50);
    const prometheus = await startPrometheus(daemon.address);
    const answers = async (expr: string): Promise<unknown[]> => {
      const { status, text } = await ask(prometheus, `/api/v1/query?query=${encodeURIComponent(expr)}`);
      const { data, error } = JSON.parse(text) as { data?: { result: unknown[] }; error?: string };
      if (status !== 200) throw new Error(`${expr}: ${error}`);
      return data!.result;
    };
    // An instance that is started again while somebody counts.
    await eventually(async () => (await answers('portreeve_restarts_total')).length > 0, 30_000);
    process.kill(daemon.status().services[0]!.instances[0]!.pid!, 'SIGKILL');

    const { panels, alerts } = expressions();
    const silent = async (asked: string[]) => {
      const rows = await Promise.all(asked.map((expr) => answers(expr)));
      return asked.filter((_, i) => rows[i]!.length === 0);
    };
    const compared = [...alerts.values()].map((expr) => expr.replace(/ (==|>) [\d.]+$/, ''));
    expect(compared.some((expr) => [...alerts.values()].includes(expr))).toBe(false);
    const due = [...alerts].filter(([name]) => firing.has(name)).map(([, expr]) => expr);
    const all = [...panels, ...compared, ...due];
    await expect.poll(() => silent(all), { timeout: 45_000, interval: 1000 }).toEqual([]);
    // The others are of what is well here.
    const well = [...alerts].filter(([name]) => !firing.has(name)).map(([, expr]) => expr);
    expect((await silent(well)).sort()).toEqual(well.sort());
  },
  120_000,
);

/** Its address. It ends with the test. */
async function startPrometheus(target: string): Promise<string> {
  const place = mkdtempSync(path.join(tmpdir(), 'reeve-prometheus-'));
  writeFileSync(
    path.join(place, 'prometheus.yml'),
    `global: { scrape_interval: 500ms }
scrape_configs: [{ job_name: reeve, static_configs: [{ targets: ["${target}"] }] }]
`,
  );
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await once(probe.close(), 'close');
  const address = `127.0.0.1:${port}`;
  const child: ChildProcess = spawn(
    program('prometheus')!,
    [
      `--config.file=${place}/prometheus.yml`,
      `--storage.tsdb.path=${place}/data`,
      ...[`--web.listen-address=${address}`, '--log.level=warn'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-5000);
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    rmSync(place, { recursive: true, force: true });
  });
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}: ${said}`);
    return ask(address, '/-/ready').then(
      ({ status }) => status === 200,
      () => false,
    );
  }, 30_000);
  return address;
}
