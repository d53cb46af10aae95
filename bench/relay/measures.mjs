// What is measured of a relay: requests, new connections, bulk data, latency at a given load, memory of idle connections.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { cpuSeconds, familyOf, memoryOf, unpacked } from '../harness.mjs';
import { gibibyte } from './stage.mjs';

const wrk = unpacked('wrk', 'wrk', ['libluajit-5.1-2']);
const hey = unpacked('hey', 'hey', []);

const cpuOf = (pid) => familyOf(pid).reduce((sum, each) => sum + cpuSeconds(each), 0);

const descriptorsOf = (pid) =>
  familyOf(pid).reduce((sum, each) => sum + readdirSync(`/proc/${each}/fd`).length, 0);

async function outputOf({ file, env }, args) {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}

/** Requests a second, how many there were, and CPU microseconds for each. */
export async function requests({ port, pid }, seconds, ...words) {
  const before = cpuOf(pid);
  const args = ['-t1', '-c64', `-d${seconds}s`, ...words, `http://127.0.0.1:${port}/`];
  const text = await outputOf(wrk, args);
  const count = Number(/(\d+) requests in/.exec(text)?.[1]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  if (!count || /Non-2xx|Socket errors: connect [1-9]/.test(text)) throw new Error(text);
  return { rate, count, cost: ((cpuOf(pid) - before) / count) * 1e6 };
}

/** GB a second, and CPU seconds for each. */
export function bulk({ port, pid }) {
  const before = cpuOf(pid);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    let got = 0;
    const callback = (size) => {
      got += size;
      return true;
    };
    const onread = { buffer: Buffer.alloc(256 * 1024), callback };
    const socket = connect({ port, host: '127.0.0.1', onread });
    socket.write('GET /big HTTP/1.0\r\n\r\n');
    socket.once('error', reject);
    socket.once('close', () => {
      if (got < gibibyte) return reject(new Error(`only ${got} bytes came`));
      const gigabytes = got / 1e9;
      const elapsed = (performance.now() - began) / 1000;
      resolve({ rate: gigabytes / elapsed, cost: (cpuOf(pid) - before) / gigabytes });
    });
  });
}

/** Milliseconds within which half, and 99 of 100 requests were answered, at so many a second over 50 connections. */
export async function latency({ port }, rate, seconds) {
  const each = String(Math.max(1, Math.round(rate / 50)));
  const text = await outputOf(hey, [
    '-z',
    `${seconds}s`,
    '-c',
    '50',
    '-q',
    each,
    `http://127.0.0.1:${port}/`,
  ]);
  const within = (percent) => Number(new RegExp(`${percent}%+ in ([\\d.]+) secs`).exec(text)?.[1]) * 1000;
  if (Number.isNaN(within(99)) || /Error distribution/.test(text)) throw new Error(text);
  return { half: within(50), p99: within(99) };
}

/** Bytes of memory for each of so many connections that say nothing. */
export async function idleMemory({ port, pid }, count) {
  const before = memoryOf(familyOf(pid));
  const open = descriptorsOf(pid);
  const sockets = [];
  try {
    while (sockets.length < count) {
      const batch = Array.from({ length: Math.min(200, count - sockets.length) }, () => greeted(port));
      const arrived = await Promise.allSettled(batch);
      sockets.push(...arrived.flatMap(({ value }) => value ?? []));
      const failed = arrived.find(({ reason }) => reason);
      if (failed) throw failed.reason;
    }
    return (memoryOf(familyOf(pid)) - before) / count;
  } finally {
    for (const socket of sockets) socket.destroy();
    // The next relay's connections lead to the same target. Go keeps its pipes until it collects garbage.
    for (let tries = 0; tries < 100 && descriptorsOf(pid) > open + 100; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Connected through to the target: one request has been answered. */
export function greeted(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.once('data', () => resolve(socket));
    socket.once('close', () => reject(new Error('closed without an answer')));
    socket.write('GET / HTTP/1.1\r\nhost: bench\r\n\r\n');
  });
}
