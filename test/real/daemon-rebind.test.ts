// Reloads that change addresses: a socket that is still asked for is handed on, with who is connected and connecting.
import { expect, test } from 'vitest';
import { eventually } from '../support/children.ts';
import { ask, house, start } from './daemon-support.ts';
import { echo, freePort, listeners, open } from './daemon-talk.ts';

test('an added address keeps the one that was there, with who is connected and who is connecting', async () => {
  const a = await echo('a');
  const [one, two] = [await freePort(), await freePort()];
  const web = (binds: number[]) =>
    listeners(
      `  web: { bind: [${binds.map((port) => `"127.0.0.1:${port}"`)}], balance: { targets: ["${a}"] } }`,
    );
  const home = house(web([one]));
  const daemon = await start(home);
  const before = await open(`127.0.0.1:${one}`);
  let failed = 0;
  let going = true;
  const load = (async () => {
    while (going) {
      const talk = await open(`127.0.0.1:${one}`);
      if (talk.text !== 'a\n') failed += 1;
      talk.socket.destroy();
    }
  })();
  for (let i = 0; i < 10; i++) {
    home.write(web(i % 2 === 0 ? [one, two] : [one]));
    await daemon.reload();
  }
  home.write(web([two, one]));
  await daemon.reload();
  going = false;
  await load;
  expect(failed).toBe(0);
  expect((await open(`127.0.0.1:${two}`)).text).toBe('a\n');
  before.socket.write('x\n');
  await eventually(() => before.text === 'a\nx\n');
  home.write(web([two]));
  await daemon.reload();
  await expect(ask(`127.0.0.1:${one}`, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  before.socket.write('y\n');
  await eventually(() => before.text === 'a\nx\ny\n');
});

test('a listener that is renamed keeps its socket', async () => {
  const a = await echo('a');
  const port = await freePort();
  const named = (name: string) =>
    listeners(`  ${name}: { bind: ["127.0.0.1:${port}"], balance: { targets: ["${a}"] } }`);
  const home = house(named('web'));
  const daemon = await start(home);
  const before = await open(`127.0.0.1:${port}`);
  home.write(named('site'));
  expect(await daemon.reload()).toMatchObject({ listeners: { added: ['site'], removed: ['web'] } });
  expect((await open(`127.0.0.1:${port}`)).text).toBe('a\n');
  expect(daemon.status().listeners.map(({ name }) => name)).toEqual(['site']);
  before.socket.write('x\n');
  await eventually(() => before.text === 'a\nx\n');
  before.socket.destroy();
});

test('two listeners that swap their addresses lose nobody', async () => {
  const [a, b] = [await echo('a'), await echo('b')];
  const [one, two] = [await freePort(), await freePort()];
  const swapped = (first: number, second: number) =>
    listeners(
      `  first: { bind: ["127.0.0.1:${first}"], balance: { targets: ["${a}"] } }
  second: { bind: ["127.0.0.1:${second}"], balance: { targets: ["${b}"] } }`,
    );
  const home = house(swapped(one, two));
  const daemon = await start(home);
  expect((await open(`127.0.0.1:${one}`)).text).toBe('a\n');
  for (let i = 0; i < 3; i++) {
    home.write(swapped(two, one));
    await daemon.reload();
    expect((await open(`127.0.0.1:${one}`)).text).toBe('b\n');
    expect((await open(`127.0.0.1:${two}`)).text).toBe('a\n');
    home.write(swapped(one, two));
    await daemon.reload();
    expect((await open(`127.0.0.1:${one}`)).text).toBe('a\n');
  }
});
