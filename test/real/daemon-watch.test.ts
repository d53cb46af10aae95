// `reeve up --watch`: the file is taken up when it changes, one that is wrong is told of once; SIGHUP is never lost.

import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../support/children.ts';
import { startReeve } from '../support/reeve.ts';
import { up } from './daemon-process.ts';
import { house, preamble } from './daemon-support.ts';

const check = (name: string) => `\nchecks:\n  ${name}: { url: "tcp://127.0.0.1:1" }\n`;

test('a file that changes is taken up, also where it is replaced; a wrong one is told of once', async () => {
  const home = house(check('one'));
  const reeve = await up(home, ['--watch']);
  const names = async () => (await reeve.status()).checks.map(({ name }) => name).join();
  home.write(check('two'));
  await eventually(async () => (await names()) === 'two');
  home.write('nonsense: true');
  await eventually(() => reeve.stderr.includes('reload refused'));
  expect(await names()).toBe('two');
  writeFileSync(`${home.file}.new`, preamble + check('three'));
  renameSync(`${home.file}.new`, home.file);
  await eventually(async () => (await names()) === 'three');
  expect(reeve.stderr.split('nothing has changed: ')).toHaveLength(2);
});

test('SIGHUP during the start is remembered', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const home = house(
    `listeners:\n  web: { bind: ["127.0.0.1:${port}"], conflict: { policy: retry, for: 1m }, sink: out }\nsinks:\n  out: { file: out }`,
  );
  const child = startReeve(['up', '-c', home.file]);
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await eventually(() => text.includes('cannot be bound'));
  home.write(check('new'));
  child.kill('SIGHUP');
  server.close();
  await eventually(() => text.includes('checks added: new'));
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});
