// The examples for Prometheus and Grafana name metrics that there are, and promtool accepts the rules.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { needs, program } from '../support/parts.ts';
import { openFixture } from './daemon-api-fixture.ts';
import { ask } from './daemon-support.ts';

const folder = path.resolve(import.meta.dirname, '../../examples/monitoring');
const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');

test.each(['alerts.yml', 'grafana.json'])('%s names metrics of /metrics alone', async (name) => {
  const { api } = await openFixture();
  const { text } = await ask(api.address, '/metrics');
  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, metric]) => metric!));
  const named = [...new Set(read(name).match(/\bportreeve_\w+/g))];
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((metric) => !known.has(metric))).toEqual([]);
});

test('the dashboard is one, with panels that have queries', () => {
  const { panels, title } = JSON.parse(read('grafana.json')) as {
    title: string;
    panels: { id: number; targets: { expr: string }[] }[];
  };
  expect(title).toBe('Portreeve');
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(panels.every(({ targets }) => targets.length > 0 && targets.every(({ expr }) => expr))).toBe(true);
});

test.runIf(needs('promtool accepts the alert rules', 'promtool'))('promtool accepts the alert rules', () => {
  const run = spawnSync(program('promtool')!, ['check', 'rules', path.join(folder, 'alerts.yml')], {
    encoding: 'utf8',
  });
  expect([run.status, run.stdout]).toEqual([0, expect.stringContaining('11 rules found')]);
});
