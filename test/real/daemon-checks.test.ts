// Checks of the daemon as a user meets them: actions, dependencies, maintenance, degraded, and what survives a restart.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { createServer as createTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { connectControl, type Daemon } from '../../src/daemon/index.ts';
import { signatureOf } from '../../src/health/webhook.ts';
import { eventually } from '../support/children.ts';
import { needs, program } from '../support/parts.ts';
import { appService, ask, askJson, house, start } from './daemon-support.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map(shut));
});

const shut = (server: Server) => new Promise((resolve) => server.close(resolve));

async function listen(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => {}).end());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  servers.push(server);
  return { server, port: (server.address() as AddressInfo).port };
}

/** Often, so that a test need not wait. */
const quick = 'interval: 100ms, fastInterval: 30ms, timeout: 2s, fall: 3, rise: 2';
const checkOf = (daemon: Pick<Daemon, 'status'>, name: string) =>
  daemon.status().checks.find((check) => check.name === name)!;
const becomes = async (daemon: Pick<Daemon, 'status'>, name: string, verdict: string) => {
  await eventually(() => checkOf(daemon, name).verdict === verdict);
  return checkOf(daemon, name);
};

interface Told {
  kind: string;
  subject: string;
  message: string;
  detail: Record<string, unknown>;
}
const eventsOf = async (daemon: Daemon, subject: string, kind: string): Promise<Told[]> => {
  const { events } = await askJson<{ events: Told[] }>(daemon.address, '/api/v1/events?since=0');
  return events.filter((event) => event.subject === subject && event.kind === kind);
};

describe('actions', () => {
  test('a webhook that fails twice is delivered once, signed, and told; onUp follows', async () => {
    const received: { headers: IncomingHttpHeaders; body: string }[] = [];
    const hook = createHttp(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      received.push({ headers: request.headers, body });
      response.writeHead(received.length <= 2 ? 503 : 204).end();
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    servers.push(hook);
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/secret-path`;
    const { server, port } = await listen();
    const daemon = await start(
      house(`
checks:
  db:
    { url: "tcp://127.0.0.1:${port}", ${quick},
      onDown: [{ webhook: "${url}", secret: s3cret }], onUp: [{ webhook: "${url}" }] }
`),
    );
    await becomes(daemon, 'db', 'up');
    expect(received).toEqual([]);
    await shut(server);
    await becomes(daemon, 'db', 'down');
    await eventually(() => received.length === 3);
    const { headers, body } = received[2]!;
    expect(headers['x-portreeve-signature']).toBe(`sha256=${signatureOf(body, 's3cret')}`);
    expect(new Set(received.map((one) => one.headers['x-portreeve-delivery'])).size).toBe(1);
    expect(JSON.parse(body)).toMatchObject({
      event: 'down',
      check: 'db',
      subject: 'check/db',
      verdict: 'down',
      reason: 'refused',
      repeats: 0,
      detail: expect.stringContaining('3 of 3 probes failed'),
    });
    const told = await eventually(async () => (await eventsOf(daemon, 'check/db', 'action'))[0]);
    expect(told).toMatchObject({
      message: expect.stringMatching(/^down: webhook done: 127\.0\.0\.1:\d+ answered 204 \(3 tries\)$/),
      detail: { action: 'webhook', outcome: 'done', tries: 3 },
    });
    await listen(port);
    await becomes(daemon, 'db', 'up');
    await eventually(() => received.length === 4);
    expect(JSON.parse(received[3]!.body)).toMatchObject({ event: 'up', verdict: 'up' });
    const { text } = await ask(daemon.address, '/metrics');
    expect(text).toContain('portreeve_actions_total{action="webhook",outcome="done"}');
  }, 20_000);

  test('a command is told what happened, its failure is an event, and repeat tells again', async () => {
    const home = house('');
    writeFileSync(
      path.join(home.folder, 'note.sh'),
      'echo "$REEVE_CHECK $REEVE_EVENT $REEVE_REPEATS" >> told; cat >> records\n',
    );
    const { port, server } = await listen();
    await shut(server);
    home.write(`
checks:
  db:
    { url: "tcp://127.0.0.1:${port}", ${quick}, repeat: 1s,
      onDown: [{ run: [sh, note.sh] }, { run: [sh, -c, "echo it broke; exit 3"] }] }
`);
    const daemon = await start(home);
    const lines = () => {
      try {
        return readFileSync(path.join(home.folder, 'told'), 'utf8').trim().split('\n');
      } catch {
        return [];
      }
    };
    await eventually(() => lines().length >= 2);
    expect(lines().slice(0, 2)).toEqual(['db down 0', 'db down 1']);
    expect(readFileSync(path.join(home.folder, 'records'), 'utf8')).toContain('"subject":"check/db"');
    const events = await eventsOf(daemon, 'check/db', 'action');
    expect(events.map(({ message }) => message)).toContain('down: run failed: exit code 3: it broke');
  });

  test('a service that a check finds broken is restarted, no more often than the limit', async () => {
    const { port, server } = await listen();
    await shut(server);
    const daemon = await start(
      house(`
services:
  app: { command: ["${process.execPath}", server.mjs], check: { http: /, interval: 200ms, fastInterval: 50ms } }
checks:
  behind:
    { url: "tcp://127.0.0.1:${port}", ${quick}, repeat: 1s,
      onDown: [{ restart: app, limit: 1/1h, grace: 10ms }] }
`),
    );
    const outcomes = async () =>
      (await eventsOf(daemon, 'check/behind', 'action')).map(({ detail }) => detail.outcome);
    await eventually(async () => (await outcomes()).includes('capped'), 20_000);
    expect((await outcomes()).slice(0, 2)).toEqual(['done', 'capped']);
    expect(daemon.status().services[0]!.restarts['asked-for']).toBe(1);
  }, 30_000);

  test('a service is out of the registry while a check that wants it so is down, also after a restart', async () => {
    const first = await listen();
    const place = house(`
services:${appService}
checks:
  database: { url: "tcp://127.0.0.1:${first.port}", ${quick}, onDown: [{ deregister: app }] }`);
    const daemon = await start(place);
    const announced = async (one: Daemon) =>
      (
        await askJson<{ instances: unknown[] }>(one.address, '/api/v1/registry/services/app').catch(() => ({
          instances: [],
        }))
      ).instances.length;
    await becomes(daemon, 'database', 'up');
    await eventually(async () => (await announced(daemon)) === 2);
    await shut(first.server);
    await eventually(async () => (await announced(daemon)) === 0);
    expect(checkOf(daemon, 'database').verdict).toBe('down');
    expect((await eventsOf(daemon, 'check/database', 'action'))[0]!.message).toBe(
      'down: deregister done: app is out of the registry until it is up again',
    );
    await daemon.drainAndStop();

    const again = await start(place);
    await eventually(() => again.status().services[0]!.instances.every(({ state }) => state === 'up'));
    expect(await announced(again)).toBe(0);
    await listen(first.port);
    await becomes(again, 'database', 'up');
    await eventually(async () => (await announced(again)) === 2);
  });

  test("a service's own check tells of the instance that is down, and that it is up again", async () => {
    const home = house('');
    const program = `
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
createServer((request, response) => {
  response.statusCode = existsSync('sick-' + process.pid) ? 500 : 200;
  response.end();
}).listen(Number(process.env.PORT), '127.0.0.1');
`;
    writeFileSync(path.join(home.folder, 'sick.mjs'), program);
    const noted = '[{ run: [sh, -c, "echo $REEVE_CHECK $REEVE_EVENT $REEVE_REASON >> told"] }]';
    home.write(`
services:
  app:
    command: ["${process.execPath}", sick.mjs]
    instances: 2
    restart: { backoff: 10ms..1s }
    check: { http: /, ${quick}, onDown: ${noted}, onUp: ${noted} }
`);
    const daemon = await start(home);
    writeFileSync(path.join(home.folder, `sick-${daemon.status().services[0]!.instances[0]!.pid}`), '');
    const told = () => readFileSync(path.join(home.folder, 'told'), { encoding: 'utf8', flag: 'a+' });
    await eventually(() => /^app\/0 down status\napp\/0 up\s*$/.test(told()), 20_000);
  }, 30_000);
});

describe('what holds actions back', () => {
  test('while a dependency is down, its dependents are suppressed; one that stays down is told after all', async () => {
    const [base, one] = [await listen(), await listen()];
    const home = house('');
    const noted = `[{ run: [sh, -c, "echo $REEVE_CHECK $REEVE_EVENT >> told"] }]`;
    home.write(`
checks:
  base: { url: "tcp://127.0.0.1:${base.port}", ${quick.replace('30ms', '90ms')}, onDown: ${noted} }
  one: { url: "tcp://127.0.0.1:${one.port}", ${quick}, dependsOn: [base], onDown: ${noted}, onUp: ${noted} }
`);
    const daemon = await start(home);
    const told = () => {
      try {
        return readFileSync(path.join(home.folder, 'told'), 'utf8').trim().split('\n');
      } catch {
        return [];
      }
    };
    await becomes(daemon, 'base', 'up');
    await becomes(daemon, 'one', 'up');
    // The dependent is asked three times as often: it knows first, and has to ask what it depends on.
    await Promise.all([shut(base.server), shut(one.server)]);
    await eventually(() => checkOf(daemon, 'one').held === 'dependency');
    expect(checkOf(daemon, 'one').verdict).toBe('down');
    await eventually(() => told().includes('base down'));
    expect(told()).toEqual(['base down']);
    const [event] = await eventsOf(daemon, 'check/one', 'action');
    expect(event).toMatchObject({
      message: 'down: suppressed: check/base is down, and it depends on it',
      detail: { outcome: 'held', hold: 'dependency', by: 'check/base' },
    });
    await listen(base.port);
    await becomes(daemon, 'base', 'up');
    await eventually(() => told().includes('one down'));
    expect(checkOf(daemon, 'one').held).toBe(null);
    await listen(one.port);
    await eventually(() => told().includes('one up'));
  }, 20_000);

  test('in maintenance probing goes on and nothing is done; when it is over, what is still so is told', async () => {
    const { port, server } = await listen();
    const home = house('');
    home.write(`
checks:
  db: { url: "tcp://127.0.0.1:${port}", ${quick}, onDown: [{ run: [sh, -c, "echo $REEVE_CHECK >> told"] }] }
`);
    const daemon = await start(home);
    const control = await connectControl({ configFile: home.file, env: process.env });
    await becomes(daemon, 'db', 'up');
    await expect(control.maintain({ name: 'dbb' })).rejects.toMatchObject({
      code: 'not-found',
      hint: "Did you mean 'db'?",
    });
    const { subject } = await control.maintain({ name: 'db', forMs: 60_000 });
    expect(subject).toBe('check/db');
    await shut(server);
    await eventually(() => checkOf(daemon, 'db').held === 'maintenance');
    expect(daemon.status().maintenance).toMatchObject([{ subject: 'check/db' }]);
    expect((await ask(daemon.address, '/metrics')).text).toContain(
      'portreeve_check_held{check="db",reason="maintenance"} 1',
    );
    await daemon.drainAndStop();
    const second = await start(home);
    expect(second.status().maintenance).toMatchObject([{ subject: 'check/db' }]);
    const again = await connectControl({ configFile: home.file, env: process.env });
    await again.maintain({ name: 'db', end: true });
    await eventually(
      () => readFileSync(path.join(home.folder, 'told'), { encoding: 'utf8', flag: 'a+' }) === 'db\n',
    );
  }, 20_000);

  test('what changes too often is flapping: one event, no action', async () => {
    const home = house('');
    home.write(`
checks:
  coin:
    { url: "exec:sh coin.sh", interval: 20ms, fastInterval: 20ms, fall: 1, rise: 1, flap: 4/1m,
      onDown: [{ run: [sh, -c, "echo $REEVE_EVENT >> told"] }] }
`);
    writeFileSync(
      path.join(home.folder, 'coin.sh'),
      'if [ -e tails ]; then rm tails; exit 2; fi; touch tails\n',
    );
    const daemon = await start(home);
    await eventually(() => checkOf(daemon, 'coin').flapping);
    const told = readFileSync(path.join(home.folder, 'told'), 'utf8').length;
    const changes = (await eventsOf(daemon, 'check/coin', 'health')).length;
    await eventually(async () => (await eventsOf(daemon, 'check/coin', 'health')).length > changes + 6);
    expect(readFileSync(path.join(home.folder, 'told'), 'utf8').length).toBe(told);
    const flaps = (await eventsOf(daemon, 'check/coin', 'health')).filter(
      ({ detail }) => 'flapping' in detail,
    );
    expect(flaps.map(({ message }) => message)).toEqual([
      'flapping: more changes than 4/m; actions are held until there has been none for 1m',
    ]);
  }, 20_000);
});

describe('restart', () => {
  test('verdict, streak and what was told survive; another definition starts afresh', async () => {
    const { port, server } = await listen();
    await shut(server);
    const home = house('');
    const yaml = (url: string) => `
checks:
  db: { url: "${url}", ${quick}, onDown: [{ run: [sh, -c, "echo $REEVE_CHECK >> told"] }] }
  slow: { url: "tcp://127.0.0.1:${port}", interval: 1h, fastInterval: 1h, fall: 3 }
`;
    home.write(yaml(`tcp://127.0.0.1:${port}`));
    const told = () => readFileSync(path.join(home.folder, 'told'), { encoding: 'utf8', flag: 'a+' });
    const first = await start(home);
    const { since } = await becomes(first, 'db', 'down');
    await eventually(() => told() === 'db\n');
    await eventually(() => checkOf(first, 'slow').checkedAt !== null);
    await first.drainAndStop();

    const second = await start(home);
    // Before any probe of this run.
    expect(checkOf(second, 'db')).toMatchObject({ verdict: 'down', since });
    await eventually(() => checkOf(second, 'slow').detail?.includes('2 of 3 against it'));
    await eventually(() => checkOf(second, 'db').checkedAt !== null);
    expect(await eventsOf(second, 'check/db', 'action')).toEqual([]);
    expect(await eventsOf(second, 'check/db', 'health')).toEqual([]);
    expect(told()).toBe('db\n');
    await second.drainAndStop();

    home.write(yaml(`tcp://localhost:${port}`));
    const third = await start(home);
    expect(checkOf(third, 'db').verdict).toBe('unknown');
    await eventually(() => told() === 'db\ndb\n');
  }, 20_000);

  test('a damaged memory is no obstacle', async () => {
    const { port } = await listen();
    const home = house(`checks: { db: { url: "tcp://127.0.0.1:${port}", ${quick} } }`);
    await (await start(home)).drainAndStop();
    writeFileSync(path.join(home.folder, 'state/health.db'), 'no database, '.repeat(1000));
    await becomes(await start(home), 'db', 'up');
  });
});

test('degraded is up, shown, told and counted', async () => {
  const home = house('');
  writeFileSync(path.join(home.folder, 'disk.sh'), 'echo 91% full; exit 1\n');
  home.write(`checks: { disk: { url: "exec:sh disk.sh", ${quick} } }`);
  const daemon = await start(home);
  await eventually(() => checkOf(daemon, 'disk').degraded);
  expect(checkOf(daemon, 'disk')).toMatchObject({
    verdict: 'up',
    reason: 'warning',
    detail: 'degraded: exit code 1: 91% full',
  });
  const told = await eventsOf(daemon, 'check/disk', 'health');
  expect(told.at(-1)).toMatchObject({ detail: { verdict: 'up', degraded: true } });
  const { text } = await ask(daemon.address, '/metrics');
  expect(text).toContain('portreeve_check_degraded{check="disk"} 1');
  expect(text).toContain('portreeve_check_up{check="disk"} 1');
});

test.runIf(needs('a gateway that does not answer', 'linux'))(
  'while the gateway fails, what is beyond this machine is unknown, and what is on it is down',
  async () => {
    const { port, server } = await listen();
    await shut(server);
    // A name that does not exist (RFC 6761 §6.4) is beyond this machine, whatever its network.
    const daemon = await start(
      house(`
health: { gateway: "tcp://127.0.0.1:${port}" }
checks:
  far: { url: "tcp://no-such-name.invalid:80", ${quick} }
  near: { url: "tcp://127.0.0.1:${port}", ${quick} }
`),
    );
    await becomes(daemon, 'near', 'down');
    await eventually(() => checkOf(daemon, 'far').reason === 'gateway');
    expect(checkOf(daemon, 'far').verdict).toBe('unknown');
    expect(daemon.status().gateway).toMatchObject({ reached: false });
    expect((await ask(daemon.address, '/metrics')).text).toContain('portreeve_gateway_up 0');
    await listen(port);
    await becomes(daemon, 'far', 'down');
    expect((await eventsOf(daemon, 'gateway', 'health')).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the gateway does not answer \(connection refused/),
      'the gateway answers again',
    ]);
  },
);

test("GET /probe speaks the blackbox exporter's metrics, of configured checks alone", async () => {
  const server = createHttp((_, response) => response.end('fine'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  const daemon = await start(
    house(`checks: { web: { url: "http://127.0.0.1:${port}/", interval: 1h, expect: fine } }`),
  );
  const { status, text, headers } = await ask(daemon.address, '/probe?target=web');
  expect(status).toBe(200);
  expect(headers['content-type']).toContain('text/plain; version=0.0.4');
  for (const line of [
    'probe_success 1',
    'probe_http_status_code 200',
    'probe_http_version 1.1',
    'probe_ip_protocol 4',
    'probe_failed_due_to_regex 0',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect((await ask(daemon.address, '/probe?target=http://127.0.0.1:1/')).status).toBe(404);
  expect((await ask(daemon.address, '/probe')).status).toBe(400);
});

test.runIf(needs('promtool accepts the metrics of a probe', 'promtool'))(
  'promtool accepts the metrics of a probe, the end of a certificate among them',
  async () => {
    const fixture = (name: string) => path.join(import.meta.dirname, '../fixtures/tls', name);
    const tls = createTls(
      {
        key: readFileSync(fixture('self-signed.key')),
        cert: readFileSync(fixture('self-signed.crt')),
      },
      // Read, or Node 26 never learns that the client has gone.
      (socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end(),
    );
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    servers.push(tls);
    const { port } = tls.address() as AddressInfo;
    const daemon = await start(
      house(`
checks:
  cert: { url: "tls://localhost:${port}", interval: 1h, ca: "${fixture('self-signed.crt')}" }
  web: { url: "https://localhost:${port}/", interval: 1h, timeout: 500ms, insecure: true }
`),
    );
    for (const name of ['cert', 'web']) {
      const { text } = await ask(daemon.address, `/probe?target=${name}`, {
        headers: { 'x-prometheus-scrape-timeout-seconds': '1' },
      });
      const checked = spawnSync(program('promtool')!, ['check', 'metrics'], {
        input: text,
        encoding: 'utf8',
      });
      expect(checked.stdout + checked.stderr).toBe('');
      expect(checked.status).toBe(0);
      if (name === 'cert') expect(text).toMatch(/^probe_ssl_earliest_cert_expiry 49\d{8}$/m);
      expect(text).toContain(`probe_success ${name === 'cert' ? 1 : 0}`);
    }
  },
);
