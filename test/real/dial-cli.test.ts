// reeve dial: standard input to whichever target takes it, and back, like nc.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/children.ts';
import { type Run, startReeve } from '../support/reeve.ts';
import { appService, house, start } from './daemon-support.ts';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ended.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Nobody listens there. */
async function closed(): Promise<string> {
  const server = createServer();
  const address = await listen(server);
  await once(server.close(), 'close');
  return address;
}

async function dial(args: string[], input: string | null, signal?: NodeJS.Signals): Promise<Run> {
  const child = startReeve(['dial', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  ended.push(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (signal && stderr.includes('connected to')) child.kill(signal);
  });
  if (input !== null) child.stdin!.end(input);
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

describe('reeve dial', () => {
  it('passes on the end of its input, and hears what is said after that', async () => {
    const upper = createServer({ allowHalfOpen: true }, (socket) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      socket.once('end', () => socket.end(text.toUpperCase()));
    });
    const [dead, alive] = [await closed(), await listen(upper)];
    const text = 'words '.repeat(50_000);
    const run = await dial([dead, alive, '--retries', '5'], text);
    expect(run).toMatchObject({ code: 0, stdout: text.toUpperCase() });
    expect(run.stderr).toContain(`connected to ${alive}`);
  });

  it('ends when the other side does, although its own input has not ended', async () => {
    const alive = await listen(createServer((socket) => socket.end('bye\n')));
    expect(await dial([alive, '-q'], null)).toEqual({ code: 0, stdout: 'bye\n', stderr: '' });
  });

  it('says what was tried where nobody answers, and ends with 1', async () => {
    const dead = await closed();
    const run = await dial([dead, '--retries', '1'], '');
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(`${dead}: connection refused`);
    expect(run.stderr).toContain('no target answered');
  });

  it('ends with 1 where the connection breaks, with 130 at Ctrl-C, with 2 for what is no target', async () => {
    const breaks = await listen(
      createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    expect(await dial([breaks], 'x')).toMatchObject({ code: 1, stderr: expect.stringContaining('broke') });
    const waits = await listen(createServer((socket) => socket.on('error', () => {})));
    expect(await dial([waits], null, 'SIGINT')).toMatchObject({ code: 130 });
    expect(await dial(['::1:80'], '')).toMatchObject({ code: 2 });
    expect(await dial(['127.0.0.1:80', '--ca', '/no/such/file'], '')).toMatchObject({ code: 2 });
  });

  it("finds a service of the running daemon's own registry, and says where there is none", async () => {
    const { file } = house(`services:${appService}`);
    const daemon = await start({ file });
    await eventually(() => daemon.status().services[0]!.instances.every(({ state }) => state === 'up'));
    const run = await dial(['app', '-c', file], 'GET / HTTP/1.0\r\n\r\n');
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('200 OK') });
    const ports = daemon.status().services[0]!.instances.flatMap(({ ports }) => Object.values(ports));
    expect(ports.map((port) => `connected to 127.0.0.1:${port} (app)\n`)).toContain(run.stderr);
    const nobody = await dial(['other', '-c', file], '');
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('other has no target') });
  });
});
