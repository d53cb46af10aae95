// For the dashboard's tests: a real Chromium, a page that fails its test on any error, and traffic.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, expect } from 'vitest';
import type { Daemon } from '../../src/daemon/index.ts';
import { program } from '../support/parts.ts';

let browser: Promise<Browser> | undefined;
const pages: Page[] = [];
const closers: (() => void)[] = [];

afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
  for (const close of closers.splice(0)) close();
});
afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

export interface Opened {
  page: Page;
  /** What the browser complained of: scripts that failed, what the policy refused. */
  complaints: string[];
}

export async function openPage(
  { address }: Pick<Daemon, 'address'>,
  hash = '',
  options: { width?: number; dark?: boolean; locale?: string } = {},
): Promise<Opened> {
  // As root Chromium has no sandbox to offer.
  browser ??= chromium.launch({
    executablePath: program('chromium')!,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  const { width = 1280, dark = false, locale = 'en-US' } = options;
  const context = await (await browser).newContext({
    viewport: { width, height: 860 },
    colorScheme: dark ? 'dark' : 'light',
    locale,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  pages.push(page);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Refusals that a test provokes are requests that failed, which the browser lists as well.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  await page.goto(`http://${address}/${hash}`);
  return { page, complaints };
}

const axe = readFileSync(
  path.join(path.dirname(createRequire(import.meta.url).resolve('axe-core')), 'axe.min.js'),
  'utf8',
);

/** Faults that axe-core calls serious or critical. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which the page's policy does not bind.
  await page.evaluate(axe);
  interface Violation {
    id: string;
    impact: string;
    nodes: { html: string; failureSummary: string }[];
  }
  const violations = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]!.html} ${nodes[0]!.failureSummary}`);
}

/** A server that says a word to whoever connects. */
export async function greeter(): Promise<{ port: number; close(): void }> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    socket.end('hello');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  closers.push(close);
  return { port: (server.address() as { port: number }).port, close };
}

/** Connects again and again until the test ends. */
export function keepConnecting(address: string, everyMs = 20): void {
  const { hostname, port } = new URL(`http://${address}`);
  const timer = setInterval(() => {
    const socket = connect(Number(port), hostname).on('error', () => {});
    socket.resume();
    socket.write('a line\n');
    setTimeout(() => socket.end(), 30);
  }, everyMs);
  closers.push(() => clearInterval(timer));
}

/** The text of what a selector finds, once it fits. */
export async function expectText(
  page: Page,
  selector: string,
  text: RegExp,
  timeout = 15_000,
): Promise<void> {
  await expect
    .poll(
      () =>
        page
          .locator(selector)
          .allInnerTexts()
          .then((all) => all.join('\n')),
      { timeout },
    )
    .toMatch(text);
}
