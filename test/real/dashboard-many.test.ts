// The dashboard with 200 listeners and 2,000 sockets: how long frames take is printed, what the page costs at rest is judged.
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { house, start } from './daemon-support.ts';
import { expectText, openPage } from './dashboard-support.ts';

const listeners = 200;
const sockets = 2000;

/** Listens on as many ports as asked for, and says so. */
const crowd = `
const net = require('net');
let open = 0;
for (let i = 0; i < ${sockets}; i++)
  net.createServer().listen(0, '127.0.0.1', () => { if (++open === ${sockets}) console.log('ready'); });`;

/** Milliseconds of CPU that the page's main thread takes in a second, while nobody touches it. */
async function costAtRest(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const taken = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value * 1000;
  };
  const [before, start] = [await taken(), performance.now()];
  // Three updates.
  await page.waitForTimeout(3000);
  return ((await taken()) - before) / ((performance.now() - start) / 1000);
}

/** Whatever is not near what one looks at is not there. */
const mostElements = 4000;
const countElements = 'document.getElementsByTagName("*").length';

/** Five seconds of frames while the page scrolls: their median, 99th percentile and longest, and long tasks. */
const measure = `new Promise((resolve) => {
  const frames = [];
  let tasks = 0;
  const watch = new PerformanceObserver((list) => { for (const each of list.getEntries()) tasks += each.duration; });
  watch.observe({ type: 'longtask' });
  const start = performance.now();
  let last = start;
  const box = document.querySelector('.long-table') ?? document.scrollingElement;
  const frame = (now) => {
    frames.push(now - last);
    last = now;
    box.scrollTop = (Math.sin(now / 700) + 1) * 0.5 * (box.scrollHeight - box.clientHeight);
    if (now - start < 5000) return requestAnimationFrame(frame);
    watch.disconnect();
    frames.sort((a, b) => a - b);
    const at = (share) => Math.round(frames[Math.floor((frames.length - 1) * share)] * 10) / 10;
    resolve({ median: at(0.5), p99: at(0.99), longest: at(1), longTasksMs: Math.round(tasks), frames: frames.length });
  };
  requestAnimationFrame(frame);
})`;

test.runIf(needs('the dashboard with many listeners and sockets', 'chromium', 'linux'))(
  '200 listeners and 2,000 sockets are shown and scroll',
  async () => {
    await startNode(crowd);
    const rows = Array.from(
      { length: listeners },
      (_, i) => `  l${i}: { bind: ["127.0.0.1:0"], frame: line, sink: out }`,
    );
    const daemon = await start(
      house(`listeners:\n${rows.join('\n')}\nsinks: { out: { file: ./out.jsonl } }\n`),
    );
    for (const [view, selector, count] of [
      ['overview', 'tbody tr', 20],
      ['traffic', '.flow', listeners],
    ] as const) {
      const { page, complaints } = await openPage(daemon, `#/${view}`);
      await expect
        .poll(() => page.locator(selector).count(), { timeout: 20_000 })
        .toBeGreaterThanOrEqual(count);
      const atRest = await costAtRest(page);
      console.log(view, { atRest: Math.round(atRest) }, await page.evaluate(measure));
      expect(atRest, `CPU that ${view} takes, milliseconds in a second`).toBeLessThan(400);
      expect(await page.evaluate(countElements), `elements of ${view}`).toBeLessThan(mostElements);
      expect(complaints).toEqual([]);
    }
    const { page } = await openPage(daemon, '#/ports');
    await expectText(page, '[role=status]', /(2,[2-9]\d\d|[3-9],\d\d\d) of/);
    // Only what is in sight is there.
    expect(await page.locator('tbody tr').count()).toBeLessThan(200);
    const cost = await page.evaluate(measure);
    console.log('ports', cost);
    expect((cost as { frames: number }).frames).toBeGreaterThan(5);
  },
  120_000,
);
