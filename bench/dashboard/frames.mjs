// What a page costs while it is looked at: the time between frames, and what the main thread did, by kind.

/** Pixels a second. */
const speeds = { still: 0, reading: 1500, flick: 15_000 };

/** Evaluated in a page: the frames of some seconds, in which it is scrolled down and up again at a speed. */
const watch = (ms, speed) => `new Promise((resolve) => {
  const frames = [];
  const start = performance.now();
  let last = start;
  let at = 0;
  let way = 1;
  const box = document.querySelector('.long-table') ?? document.scrollingElement;
  const end = box.scrollHeight - box.clientHeight;
  const frame = (now) => {
    frames.push(now - last);
    at += (way * ${speed} * (now - last)) / 1000;
    last = now;
    if (at > end || at < 0) way = -way;
    at = Math.max(0, Math.min(end, at));
    if (${speed} > 0) box.scrollTop = at;
    if (now - start < ${ms}) return requestAnimationFrame(frame);
    resolve(frames);
  };
  requestAnimationFrame(frame);
})`;

/** Milliseconds between frames (median, 99th percentile, longest), and milliseconds of CPU in a second, by kind. */
export async function measureFrames(page, { ms = 5000, scroll = 'still' } = {}) {
  const devtools = await page.context().newCDPSession(page);
  // CPU time of the main thread: what else the machine does is not in it.
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const [before, start] = [await counters(devtools), performance.now()];
  const frames = (await page.evaluate(watch(ms, speeds[scroll]))).sort((a, b) => a - b);
  const seconds = (performance.now() - start) / 1000;
  const after = await counters(devtools);
  await devtools.detach();
  const at = (share) => frames[Math.floor((frames.length - 1) * share)];
  const each = (name) => ((after[name] - before[name]) * 1000) / seconds;
  return {
    ...{ median: at(0.5), p99: at(0.99), longest: at(1) },
    script: each('ScriptDuration'),
    layout: each('LayoutDuration') + each('RecalcStyleDuration'),
    all: each('TaskDuration'),
    nodes: after.Nodes,
  };
}

async function counters(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}
