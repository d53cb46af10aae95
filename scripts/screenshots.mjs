// npm run screenshots: every view of the dashboard in both themes and at phone width, into docs/images/.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { openTown } from './demo-town.mjs';
import { ensureBuild, ensurePackages, ensureParts, findPart, root } from './setup.mjs';

ensurePackages();
ensureBuild();
const missing = ensureParts(['chromium', 'ip']);
if (missing.chromium) throw new Error(missing.chromium);
// In a network of its own the map shows the town's ports and not this machine's.
if (process.getuid?.() === 0 && !process.env.REEVE_APART) {
  const inside = `${findPart('ip')} link set lo up && exec ${process.execPath} ${process.argv[1]}`;
  const { status } = spawnSync('unshare', ['--net', '--pid', '--fork', '--mount-proc', 'sh', '-c', inside], {
    stdio: 'inherit',
    env: { ...process.env, REEVE_APART: '1' },
  });
  process.exit(status ?? 1);
}

const { chromium } = await import('playwright-core');
const images = path.join(root, 'docs', 'images');
mkdirSync(images, { recursive: true });
const town = await openTown();
const browser = await chromium.launch({
  executablePath: findPart('chromium'),
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const looks = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 800 }, colorScheme: 'light' },
};
const shots = {
  overview: '#/overview',
  traffic: '#/traffic/shop',
  ports: '#/ports',
  port: '#/ports/18080',
  checks: '#/checks',
  leases: '#/leases',
  events: '#/events',
  config: '#/config',
};
try {
  // Three minutes fill the small charts.
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.REEVE_TOWN_AGE ?? 185) * 1000));
  for (const [look, options] of Object.entries(looks)) {
    const page = await (await browser.newContext({ ...options, locale: 'en-US' })).newPage();
    for (const [name, hash] of Object.entries(shots)) {
      await page.goto(`http://${town.address}/${hash}`);
      await page.reload();
      await page.waitForTimeout(2500);
      await page.screenshot({ path: path.join(images, `${name}-${look}.png`) });
    }
    await page.context().close();
  }
  const page = await (await browser.newContext({ ...looks.light, locale: 'zh-CN' })).newPage();
  await page.goto(`http://${town.address}/`);
  await page.waitForTimeout(2500);
  await page.screenshot({ path: path.join(images, 'overview-zh.png') });
} finally {
  await browser.close();
  await town.close();
}
// A palette of 256 colours is enough for a page, at a third of the bytes (Debian: pngquant).
const files = readdirSync(images).map((file) => path.join(images, file));
if (spawnSync('pngquant', ['--force', '--skip-if-larger', '--ext', '.png', ...files]).error)
  console.error('pngquant is not installed: the images stay as large as they are');
const bytes = readdirSync(images).reduce((sum, file) => sum + statSync(path.join(images, file)).size, 0);
console.log(`${readdirSync(images).length} images, ${Math.round(bytes / 1000)} kB`);
