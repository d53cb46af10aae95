// A relay must not make a first answer wait: a target that writes in two is held back by its kernel until it has an ACK.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { namespace } from '../support/namespace.ts';
import { needs } from '../support/parts.ts';
import { reeve, startReeve } from '../support/reeve.ts';

const connections = 40;
/** Of a namespace of its own, how often the kernel's timer for late ACKs (40 ms) had to send one. */
const program = `
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
const delayed = () => {
  const [names, values] = readFileSync('/proc/self/net/netstat', 'utf8').split('\\n').map((line) => line.split(' '));
  return Number(values[names.indexOf('DelayedACKs')]);
};
// Nagle's algorithm is on, as it is in most programs.
createServer({ noDelay: false }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', () => {
    socket.write('head ');
    setImmediate(() => socket.write('body'));
  });
}).listen(18311, '127.0.0.1');
const ask = (port) => new Promise((resolve, reject) => {
  let text = '';
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write('ask'));
  socket.on('error', reject).on('data', (part) => {
    text += part;
    if (text === 'head body') resolve(socket.destroy());
  });
});
process.stdin.once('data', async () => {
  const before = delayed();
  for (let i = 0; i < ${connections}; i++) await ask(18321);
  console.log(delayed() - before);
  process.exit(0);
});
`;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe.runIf(needs('ACKs of a relay', 'linux', 'root', 'ip'))('a first answer in two parts', () => {
  it.each(['native', 'portable'])('does not wait for an ACK, through the %s engine', async (engine) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'reeve-prompt-'));
    folders.push(folder);
    await using host = await namespace();
    const file = path.join(folder, 'reeve.yaml');
    writeFileSync(
      file,
      `control: { listen: "127.0.0.1:18300" }
state: ./state
relay: { engine: ${engine} }
listeners:
  web: { bind: ["127.0.0.1:18321"], balance: { targets: ["127.0.0.1:18311"] } }
`,
    );
    const script = path.join(folder, 'ask.mjs');
    writeFileSync(script, program);
    const client = startReeve([], { file: script, prefix: host.prefix, stdio: ['pipe', 'pipe', 'inherit'] });
    const daemon = startReeve(['up', '-q', '-c', file], { prefix: host.prefix, stdio: 'ignore' });
    const ended = new Promise((resolve) => daemon.once('close', resolve));
    try {
      const up = ['wait', 'http://127.0.0.1:18300/readyz', '--timeout', '30s'];
      expect((await reeve(up, { prefix: host.prefix })).code).toBe(0);
      let told = '';
      client.stdout!.setEncoding('utf8').on('data', (text: string) => {
        told += text;
      });
      client.stdin!.write('go\n');
      await new Promise((resolve) => client.once('close', resolve));
      // A few come from a process that was not given the processor for 40 ms.
      expect(Number(told)).toBeLessThan(connections / 2);
      expect(told).toMatch(/^\d+\n$/);
    } finally {
      daemon.kill('SIGTERM');
      await ended;
    }
  });
});
