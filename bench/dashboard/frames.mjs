// What a page costs while it is looked at: the time between frames, and what the main thread did, by kind.

/** Evaluated in a page: the frames of some seconds, which scrolls all the while where it is told to. */
const watch = (ms, scrolls) => `new Promise((resolve) => {
  const frames = [];
  const start = performance.now();
  let last = start;
  const box = document.querySelector('.long-table') ?? document.scrollingElement;
  const frame = (now) => {
    frames.push(now - last);
    last = now;
    if (${scrolls}) box.scrollTop = (Math.sin(now / 700) + 1) * 0.5 * (box.scrollHeight - box.clientHeight);
    if (now - start < ${ms}) return requestAnimationFrame(frame);
    resolve(frames);
  };
  requestAnimationFrame(frame);
})`;

/** Milliseconds between frames (median, 99th percentile, longest), and milliseconds of work in a second, by kind. */
export async function measureFrames(page, { ms = 5000, scrolls = false } = {}) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const [before, start] = [await counters(devtools), performance.now()];
  const frames = (await page.evaluate(watch(ms, scrolls))).sort((a, b) => a - b);
  const seconds = (performance.now() - start) / 1000;
  const after = await counters(devtools);
  await devtools.detach();
  const at = (share) => frames[Math.floor((frames.length - 1) * share)];
  const each = (name) => ((after[name] - before[name]) * 1000) / seconds;
  return {
    ...{ median: at(0.5), p99: at(0.99), longest: at(1) },
    script: each('ScriptDuration'),
    style: each('RecalcStyleDuration'),
    layout: each('LayoutDuration'),
    all: each('TaskDuration'),
    nodes: after.Nodes,
  };
}

async function counters(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}
