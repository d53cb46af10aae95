// The examples for Prometheus and Grafana: metrics that there are, a dashboard by Grafana's schema, alerts that fire.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
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

interface Panel {
  id: number;
  type: string;
  title: string;
  datasource: { type: string; uid: string };
  gridPos: { h: number; w: number; x: number; y: number };
  fieldConfig: { defaults: { unit: string }; overrides: unknown[] };
  targets: { refId: string; expr: string; datasource: { uid: string } }[];
}

// What Grafana's own schema of a dashboard (kinds/dashboard, classic model) asks for, since no Grafana can be run here.
test('the dashboard keeps to the schema of Grafana', () => {
  const dashboard = JSON.parse(read('grafana.json')) as {
    [key: string]: unknown;
    uid: string;
    panels: Panel[];
    templating: { list: { name: string; type: string }[] };
  };
  expect(dashboard).toMatchObject({ id: null, title: 'Portreeve', timezone: 'browser', schemaVersion: 39 });
  expect(dashboard.uid).toMatch(/^[\w-]{8,40}$/);
  const { panels } = dashboard;
  expect(panels.length).toBeGreaterThan(10);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const variables = dashboard.templating.list.map(({ name }) => name);
  expect(dashboard.templating.list.map(({ type }) => type)).toEqual(['datasource', 'query']);
  const used = [...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!);
  expect(used.filter((name) => !name.startsWith('__') && !variables.includes(name))).toEqual([]);
  const cells = new Set<string>();
  for (const { type, title, datasource, gridPos, fieldConfig, targets } of panels) {
    expect(['stat', 'timeseries'], title).toContain(type);
    // Identifiers of units in its catalogue of value formats.
    expect(['none', 'short', 's', 'cps', 'Bps'], title).toContain(fieldConfig.defaults.unit);
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(cells.has(`${x} ${y}`), `${title} overlaps another panel`).toBe(false);
        cells.add(`${x} ${y}`);
      }
    }
    expect(targets.length, title).toBeGreaterThan(0);
    expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    for (const target of targets) {
      expect(target.expr, title).toContain('$instance');
      expect(target.datasource, title).toEqual(datasource);
    }
  }
});

const promtool = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(program('promtool')!, words, {
    encoding: 'utf8',
    cwd: folder,
  });
  return { status, said: stdout + stderr };
};

describe.runIf(needs('promtool on the alert rules', 'promtool'))('promtool', () => {
  test('accepts the alert rules', () => {
    const { status, said } = promtool('check', 'rules', 'alerts.yml');
    expect([status, said]).toEqual([0, expect.stringContaining('11 rules found')]);
  });

  test('sees each alert fire when it should, say what it should, and leave a healthy host alone', () => {
    expect(promtool('test', 'rules', 'alerts.test.yml')).toMatchObject({ status: 0 });
    const names = (file: string) =>
      [
        ...new Set([...read(file).matchAll(/(?:alert|alertname): (Reeve\w+)/g)].map(([, name]) => name!)),
      ].sort();
    expect(names('alerts.test.yml')).toEqual(names('alerts.yml'));
  });
});
