// Leases as users meet them: reeve lease, leases and release, and lease() of the library in several processes.
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leaseAuditSchema, leaseSchema } from '../../src/core/records.ts';
import { lease } from '../../src/index.ts';
import { endChild, startNode } from '../support/children.ts';
import { freeRange } from '../support/free-range.ts';
import { needs } from '../support/parts.ts';
import { reeve, reeveFile, reeveJson, startReeve } from '../support/reeve.ts';

let folder: string;
let first: number;
let range: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reeve-lease-cli-'));
  first = await freeRange(10);
  range = `${first}-${first + 9}`;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const options = () => ({ env: { ...process.env, REEVE_LEASES: folder } });
const run = (...args: string[]) => reeve(args, options());

describe.runIf(needs('leases of the command line', 'linux'))('the command line', () => {
  it('says what to do where there is no SQLite for the machine', async () => {
    // node-gyp-build, which finds the binary, goes by it.
    const env = { ...process.env, REEVE_LEASES: folder, npm_config_arch: 's390x' };
    const { code, stderr } = await reeve(['leases'], { env });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('cannot load SQLite') });
    expect(stderr).toContain('with its optional packages');
  });

  it('prints a port, and the same one for the same name', async () => {
    const ask = (...args: string[]) => run('lease', ...args, '--range', range);
    expect(await ask('web')).toEqual({ code: 0, stdout: `${first}\n`, stderr: '' });
    expect((await ask('db', '--count', '3')).stdout).toBe(`${first + 1}\n${first + 2}\n${first + 3}\n`);
    expect((await ask('web')).stdout).toBe(`${first}\n`);
    const { leases } = leaseSchema.parse(await reeveJson(['lease', 'web', '--range', range], options()));
    expect(leases).toMatchObject([{ name: 'web', port: first, owner: { pid: null }, state: 'offered' }]);
    const all = leaseSchema.parse(await reeveJson(['leases'], options()));
    expect(all.leases.map(({ name }) => name)).toEqual(['web', 'db', 'db', 'db']);
    expect((await run('leases', 'db')).stdout).toMatch(/db .*offered .*nobody .*\n\n3 leases\n$/);
  });

  it('gives ports back, and tells what happened', async () => {
    await run('lease', 'web', '--range', range);
    expect(await run('release', 'web')).toMatchObject({ code: 0, stdout: `released ${first}\n` });
    expect(await run('release', 'web')).toMatchObject({ code: 1, stdout: '' });
    expect(await run('leases', 'web')).toMatchObject({ code: 1 });
    const audit = ['leases', '--audit', '--since', '1h'];
    const { entries } = leaseAuditSchema.parse(await reeveJson(audit, options()));
    expect(entries.map(({ kind, port }) => [kind, port])).toEqual([
      ['granted', first],
      ['released', first],
    ]);
    expect((await run(...audit)).stdout).toMatch(/TIME .*\n.* granted .*\n.* released .* reeve release\n$/);
    expect((await run('leases', '--audit', '--since', '1ms')).stdout).toBe('nothing happened\n');
  });

  it('says on stderr why a name moved, and with --strict does not move it', async () => {
    await run('lease', 'web', '--range', range);
    await run('release', 'web');
    const server = createServer().listen(first, '127.0.0.1');
    await once(server, 'listening');
    const moved = await run('lease', 'web', '--range', range);
    expect(moved).toMatchObject({ code: 0, stdout: `${first + 1}\n` });
    expect(moved.stderr).toContain(`moved web from ${first} to ${first + 1}: `);
    expect(moved.stderr).toContain(`PID ${process.pid}`);
    await run('release', 'web');
    const strict = await run('lease', 'web', '--range', String(first), '--strict');
    expect(strict).toMatchObject({ code: 1, stdout: '' });
    expect(strict.stderr).toContain(`PID ${process.pid}`);
    server.close();
  });

  it('says who has the only port that was asked for, and while it rests, where to look', async () => {
    const server = createServer().listen(first, '127.0.0.1');
    await once(server, 'listening');
    const ask = () => run('lease', 'callback', '--strict', '--range', String(first));
    const held = await ask();
    expect(held).toMatchObject({ code: 1, stdout: '' });
    expect(held.stderr).toMatch(
      new RegExp(`no port left to lease in ${first}: \\S+ \\(PID ${process.pid}\\) has ${first}\n`),
    );
    const rests = await ask();
    expect(rests.stderr).toContain(`no port left to lease in ${first}\n`);
    expect(rests.stderr).toContain(`in use (reeve who ${first}), or was so less than 30s ago`);
    server.close();
  });

  it('writes what happened in words', async () => {
    await run('lease', 'web', '--range', range);
    await run('lease', 'web', '--range', range);
    await run('release', 'web');
    const server = createServer().listen(first, '127.0.0.1');
    await once(server, 'listening');
    await run('lease', 'web', '--range', range);
    await run('lease', 'web', '--range', `${first + 5}-${first + 9}`);
    server.close();
    const lines = (await run('leases', '--audit')).stdout.split('\n').slice(1, -1);
    expect(lines.map((line) => line.replace(/^\S+ +(\w+).* nobody +/, '$1 '))).toEqual([
      'granted for 1h',
      'renewed 1 time',
      'released reeve release',
      'granted for 1h',
      expect.stringMatching(/^refused bind of :: \(tcp\): EADDRINUSE by \S+ \(PID \d+\)$/),
      'granted for 1h',
      expect.stringMatching(new RegExp(`^moved from ${first} to ${first + 1}: .+ \\(PID \\d+\\) has it$`)),
      'granted for 1h',
      `moved from ${first} to ${first + 5}: it is outside the range`,
    ]);
    await using held = await lease('web', { folder, range: `${first + 5}-${first + 9}` });
    expect(held.port).toBe(first + 5);
    expect((await run('leases', '--audit')).stdout).toContain('for 15s in place of one that no process kept');
  });

  it('holds a port until Ctrl-C, parked and kept from others', async () => {
    const child = startReeve(['lease', 'web', '--range', range, '--hold'], options());
    const [text] = (await once(child.stdout!, 'data')) as [Buffer];
    expect(text.toString()).toBe(`${first}\n`);
    const bind = `require('net').createServer().listen(${first}, '127.0.0.1', () => console.log('served'))`;
    await endChild(await startNode(bind));
    const other = await run('lease', 'web', '--range', range);
    expect(other).toMatchObject({ code: 0, stdout: `${first + 1}\n` });
    expect(other.stderr).toContain(`process ${child.pid}`);
    const refused = await run('release', 'web');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`process ${child.pid}`)]);
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect((await run('leases')).stdout).not.toContain(`${first} `);
  });

  it('ends a hold whose port was released by force, with an error', async () => {
    const child = startReeve(['lease', 'web', '--range', range, '--hold', '--ttl', '600ms'], options());
    await once(child.stdout!, 'data');
    const ended = once(child, 'exit');
    expect(await run('release', 'web', '--force')).toMatchObject({ code: 0 });
    expect(await ended).toEqual([1, null]);
    expect((await run('leases', '--audit')).stdout).toMatch(/ released .* reeve release --force\n$/);
  });

  it('leaves the port to its name at once when its holder is killed', async () => {
    const child = startReeve(['lease', 'web', '--range', range, '--hold'], options());
    await once(child.stdout!, 'data');
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    expect((await run('lease', 'web', '--range', range)).stdout).toBe(`${first}\n`);
    const { entries } = leaseAuditSchema.parse(await reeveJson(['leases', '--audit'], options()));
    expect(entries[1]).toMatchObject({ kind: 'expired', evidence: { why: 'its owner is gone' } });
  });

  it('names the lease by the project', async () => {
    const project = path.join(folder, 'shop');
    mkdirSync(project);
    writeFileSync(path.join(project, 'package.json'), '{"name":"@shop/web"}');
    await reeve(['lease', '--range', range], { ...options(), cwd: project });
    const { leases } = leaseSchema.parse(await reeveJson(['leases'], options()));
    expect(leases).toMatchObject([{ name: '@shop/web', port: first }]);
  });

  it.each([
    [['lease', 'a b'], 'cannot name a lease'],
    [['lease', 'web', '--count', '0'], 'whole number'],
    [['lease', 'web', '--range', '9-1'], 'ends before it starts'],
    [['lease', 'web', '--ttl', '0ms'], 'cannot last 0ms'],
    [['lease', 'web', '--ttl', '400d'], 'cannot last 400d'],
    [['leases', '--since', '1h'], '--audit'],
    [['release'], 'missing required argument'],
  ])('reeve %j is wrong usage', async (args, words) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });
});

describe.runIf(needs('leases of the library', 'linux'))('the library', () => {
  it('leases, and releases by using and by await using', async () => {
    const settings = { folder, range };
    const web = await lease('web', settings);
    expect(web).toMatchObject({ name: 'web', port: first, ports: [first] });
    const server = createServer().listen(web.port);
    await once(server, 'listening');
    const block = await lease('block', { ...settings, count: 3 });
    expect(block.ports).toEqual([first + 1, first + 2, first + 3]);
    block[Symbol.dispose]();
    server.close();
    await web[Symbol.asyncDispose]();
    await web.release();
    expect(leaseSchema.parse(await reeveJson(['leases'], options())).leases).toEqual([]);
    await expect(lease('web', settings, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  });

  it('tells its holder when the lease is lost', async () => {
    const web = await lease('web', { folder, range, ttlMs: 300 });
    const lost = once(web.lost, 'abort');
    await run('release', 'web', '--force');
    await lost;
    const message = `web lost port ${first}: its lease was released (reeve release --force)`;
    expect(web.lost.reason).toMatchObject({ code: 'conflict', message });
    await web.release();
  });

  it('keeps no process running, and releases when it exits', async () => {
    const library = JSON.stringify(pathToFileURL(path.join(path.dirname(reeveFile), 'index.js')).href);
    const script = `import(${library}).then(({ lease }) => Promise.all(Array.from({ length: 12 }, (_, i) =>
      lease('n' + i, { folder: ${JSON.stringify(folder)} })))).then((all) => console.log(all.map((one) => one.port).join()))`;
    const child = await startNode(script, { stdio: ['ignore', 'pipe', 'pipe'] });
    let warnings = '';
    child.process.stderr!.on('data', (text) => {
      warnings += text;
    });
    if (child.process.exitCode === null) await once(child.process, 'exit');
    expect([child.process.exitCode, warnings]).toEqual([0, '']);
    expect(new Set(child.line.split(',')).size).toBe(12);
    const { entries } = leaseAuditSchema.parse(await reeveJson(['leases', '--audit'], options()));
    const released = entries.filter(({ kind }) => kind === 'released');
    expect(released).toHaveLength(12);
    expect(released[0]!.evidence).toEqual({ why: 'the process exited' });
  });

  it('releases and frees the port when a thread exits, without a warning', async () => {
    const library = JSON.stringify(pathToFileURL(path.join(path.dirname(reeveFile), 'index.js')).href);
    const settings = JSON.stringify({ folder, range });
    const inThread = `import(${library}).then(({ lease, who }) => lease('web', ${settings})
      .then((web) => who().then(() => require('node:worker_threads').parentPort.postMessage(web.port))))`;
    const script = `const { Worker } = require('node:worker_threads'); const { once } = require('node:events');
      (async () => {
        const ports = [];
        for (let i = 0; i < 2; i++) {
          const thread = new Worker(${JSON.stringify(inThread)}, { eval: true });
          const [[port]] = await Promise.all([once(thread, 'message'), once(thread, 'exit')]);
          ports.push(port);
        }
        const { lease } = await import(${library});
        console.log([...ports, (await lease('web', ${settings})).port].join());
      })()`;
    const child = await startNode(script, { stdio: ['ignore', 'pipe', 'pipe'] });
    let warnings = '';
    child.process.stderr!.on('data', (text) => {
      warnings += text;
    });
    if (child.process.exitCode === null) await once(child.process, 'exit');
    expect([child.line, warnings]).toEqual([`${first},${first},${first}`, '']);
    const { entries } = leaseAuditSchema.parse(await reeveJson(['leases', '--audit'], options()));
    const why = entries.filter(({ kind }) => kind === 'released').map(({ evidence }) => evidence.why);
    expect(why).toEqual(['its thread exited', 'its thread exited', 'the process exited']);
  });

  it('takes ports and ranges as numbers and texts', async () => {
    const exclude = [first, `${first + 1}-${first + 2}`, { first: first + 3, last: first + 4 }];
    await using web = await lease('web', { folder, range, exclude });
    expect(web.port).toBe(first + 5);
    await using fixed = await lease('fixed', { folder, range: first });
    expect(fixed.port).toBe(first);
  });

  it.each([
    [[{ count: 2 }], 'the name of a lease is a text'],
    [['web', null], 'are an object, not null'],
    [['web', { rnage: '20000' }], "no option 'rnage'", 'Did you mean range?'],
    [['web', { signal: AbortSignal.abort() }], "no option 'signal'", 'third argument'],
    [['web', { constructor: 1 }], "no option 'constructor'"],
    [['web', { range: { first: 1, last: 2 } }], `'range' of a lease is a string or a number, not {"first":1`],
    [['web', { exclude: '20000' }], `'exclude' of a lease is a list of ports and ranges, not "20000"`],
    [['web', { exclude: [null] }], "'null' is not a port"],
    [['web', { count: '3' }], `'count' of a lease is a number, not "3"`],
    [['web', { strict: 'no' }], `'strict' of a lease is a boolean, not "no"`],
    [['web', { ttlMs: Number.NaN }], 'cannot last NaN'],
    [['web', { ttlMs: 99 }], 'at least 100 ms'],
    [['web', { count: 0 }], 'cannot lease 0 ports'],
    [['web', { range: '20000-20005', count: 7 }], 'only 6 ports to lease, 7 wanted'],
  ])('refuses %j in words', async ([name, settings], message, hint = '') => {
    const asked = { ...(settings as object), ...(settings === null ? {} : { folder }) };
    const misused = lease(name as string, settings === null ? (null as never) : asked);
    await expect(misused).rejects.toMatchObject({
      name: 'ReeveError',
      message: expect.stringContaining(message),
      ...(hint ? { hint: expect.stringContaining(hint) } : {}),
    });
  });

  it('is declared for users of the package', () => {
    const types = path.join(path.dirname(reeveFile), 'types', 'index.d.ts');
    expect(readFileSync(types, 'utf8')).toContain('export declare function lease(');
  });
});
