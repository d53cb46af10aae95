// The dashboard: bytes until a view is there, how long that takes, and what an open dashboard costs the daemon.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { openTown } from '../scripts/demo-town.mjs';
import { ensureParts, findPart, root } from '../scripts/setup.mjs';
import { connections, listeners, openCrowd, sockets } from './dashboard/crowd.mjs';
import { measureFrames } from './dashboard/frames.mjs';
import { cpuSeconds, median, report, table } from './harness.mjs';

const missing = ensureParts(['chromium']);
if (missing.chromium) throw new Error(missing.chromium);
const executablePath = findPart('chromium');
const rounds = 7;

const assets = path.join(root, 'dist', 'web');
const sizes = ['', 'gz', 'br'].map((ending) =>
  readdirSync(assets, { recursive: true })
    .filter((file) => /\.(html|js|css|svg)$/.test(file))
    .map((file) => {
      const compressed = path.join(assets, ending === '' ? file : `${file}.${ending}`);
      return statSync(compressed, { throwIfNoEntry: false })?.size ?? statSync(path.join(assets, file)).size;
    })
    .reduce((sum, each) => sum + each, 0),
);

const town = await openTown();
const browser = await chromium.launch({
  executablePath,
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const { pid } = await (await fetch(`http://${town.address}/api/v1/status`)).json();
const rows = [];
try {
  for (const [view, ready] of [
    ['overview', '.card.listener'],
    ['traffic', '.target'],
    ['ports', '.long-table tbody tr'],
  ]) {
    const seen = [];
    for (let round = 0; round <= rounds; round++) seen.push(await open(view, ready));
    // The first one finds nothing in the file system's cache.
    const kept = seen.slice(1);
    const of = (key) => `${Math.round(median(kept.map((each) => each[key])))}`;
    rows.push([view, `${of('bytes')} B`, `${of('paint')} ms`, `${of('shown')} ms`]);
  }
  const alone = await shareOfCore();
  const page = await browser.newPage();
  await page.goto(`http://${town.address}/`);
  const watched = await shareOfCore();
  await page.close();
  const crowded = await manyRows();
  const memory = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1];
  report('dashboard', {
    title: 'Dashboard: transfer and first render',
    body: `All files: ${sizes[0]} bytes, ${sizes[1]} with gzip, ${sizes[2]} with brotli (goal: at most 150,000 compressed).
A new browser context each time, nothing cached, from the request to the first paint and until the view shows
its rows:

${table(['view', 'transferred', 'first paint', 'rows there'], rows)}

CPU of the daemon with its town's traffic: ${(alone * 100).toFixed(1)} % of a core, with a dashboard open ${(watched * 100).toFixed(1)} %; resident ${Math.round(memory / 1024)} MiB.

With ${listeners} listeners, ${sockets} more sockets on the machine and ${connections} new connections a second: milliseconds between frames, and
milliseconds of CPU that the page's main thread takes in a second; without a graphics card, other threads draw meanwhile, on a
machine that had other work as well. *Reading* scrolls 1,500 pixels a second, *flick* 15,000. The page with nothing on it,
measured in the same run, is what the machine gives at best.

${table(['view', 'scrolling', 'frame P50', 'P99', 'longest', 'script', 'layout', 'all CPU', 'elements'], crowded)}`,
    versions: [
      execFileSync(executablePath, ['--version'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim(),
    ],
  });
} finally {
  await browser.close();
  await town.close();
}

async function manyRows() {
  const crowd = await openCrowd();
  const rows = [];
  try {
    for (const view of [null, 'overview', 'traffic', 'ports', 'events']) {
      const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
      await page.goto(view ? `http://${crowd.address}/#/${view}` : 'about:blank');
      if (view) await page.waitForTimeout(6000);
      const elements = await page.evaluate('document.getElementsByTagName("*").length');
      for (const scroll of ['still', 'reading', 'flick']) {
        const cost = await measureFrames(page, { scroll });
        const of = (key) => `${Math.round(cost[key])} ms`;
        rows.push([
          ...[view ?? 'an empty page', scroll, of('median'), of('p99'), of('longest')],
          ...[of('script'), of('layout'), of('all'), elements],
        ]);
      }
      await page.context().close();
    }
  } finally {
    await crowd.close();
  }
  return rows;
}

async function open(view, ready) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const start = performance.now();
  await page.goto(`http://${town.address}/#/${view}`, { waitUntil: 'commit' });
  await page.locator(ready).first().waitFor();
  const shown = performance.now() - start;
  await page.waitForTimeout(200);
  const measured = await page.evaluate(`({
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    bytes: performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/api/'))
      .concat(performance.getEntriesByType('navigation')).reduce((sum, { transferSize }) => sum + transferSize, 0),
  })`);
  await context.close();
  return { ...measured, shown };
}

/** Over ten seconds. */
async function shareOfCore() {
  const [before, start] = [cpuSeconds(pid), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  return (cpuSeconds(pid) - before) / ((performance.now() - start) / 1000);
}
