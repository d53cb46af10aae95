// The contract's own example (DESIGN §3) is accepted as it stands.
import { expect, it } from 'vitest';
import { parseConfig } from './parse.ts';
import { formatProblems } from './problems.ts';

const contract = `control: { listen: "127.0.0.1:7070", tokenFile: ./token }
state: ./state
ports: { range: 20000-32000, exclude: [27017] }
registry: embedded
relay: { engine: auto, workers: auto }

services:
  user-api:
    command: [node, server.js]
    instances: 2
    ports: { http: auto, grpc: auto }
    check: { http: "/healthz", port: http }
    restart: { backoff: 500ms..60s, limit: 10/1m }
    stop: { signal: SIGTERM, timeout: 10s }
    register: { tags: [v1], meta: { team: core } }

listeners:
  web:
    bind: ["[::]:8080"]
    conflict: { policy: retry, for: 30s }
    allow: [127.0.0.0/8, "::1"]
    limits: { connections: 10000, perClient: 200, rate: 1000/s, idle: 10m }
    proxyProtocol: { accept: false, send: false }
    tls: { cert: ./cert.pem, key: ./key.pem }
    balance: { service: user-api, port: http, policy: least-connections, retries: 2, connectTimeout: 5s }
  intake:
    bind: ["0.0.0.0:9000"]
    frame: line
    sink: events
  custom:
    bind: ["127.0.0.1:9100"]
    handler: ./handler.ts

sinks:
  events: { file: ./data/events.jsonl, rotate: { size: 10MB, keep: 5 } }
  queue: { nats: "nats://127.0.0.1:4222", stream: EVENTS, subject: "intake.{listener}" }

checks:
  database: { url: "tcp://127.0.0.1:5432", onDown: [{ run: [./page.sh] }, { webhook: "https://x" }], dependsOn: [] }
`;

const read = (text: string) => parseConfig(text, { file: 'reeve.yaml', env: {} });

it('reads the whole of it into values with units', () => {
  const result = read(contract);
  expect(result).toMatchObject({
    config: {
      control: { listen: { protocol: 'tcp', host: '127.0.0.1', port: 7070 }, tokenFile: './token' },
      state: './state',
      ports: { range: { first: 20_000, last: 32_000 }, exclude: [27_017] },
      services: {
        'user-api': {
          instances: 2,
          ports: { http: 'auto', grpc: 'auto' },
          check: {
            http: '/healthz',
            port: 'http',
            interval: 5000,
            timeout: 3000,
            fall: 3,
            rise: 2,
            fastInterval: 1000,
          },
          restart: { backoff: { min: 500, max: 60_000 }, limit: { count: 10, perMs: 60_000 } },
          stop: { signal: 'SIGTERM', timeout: 10_000 },
        },
      },
      listeners: {
        web: {
          bind: [{ protocol: 'tcp', host: '::', port: 8080 }],
          v6only: false,
          conflict: { policy: 'retry', for: 30_000 },
          limits: { connections: 10_000, perClient: 200, rate: { count: 1000, perMs: 1000 }, idle: 600_000 },
          balance: { service: 'user-api', port: 'http', policy: 'least-connections', connectTimeout: 5000 },
        },
        intake: { frame: 'line', sink: 'events' },
      },
      sinks: {
        events: {
          file: './data/events.jsonl',
          rotate: { size: 10_000_000, keep: 5, gzip: false },
          fsync: 'none',
        },
      },
      checks: { database: { url: 'tcp://127.0.0.1:5432', interval: 5000 } },
    },
  });
});

it.each([
  [
    'listeners: { a: { bind: ["[::]:1"], sink: s, proxyProtocol: { accept: true } } }\nsinks: { s: { stdout: true } }',
    'reeve.yaml:1:71: listeners.a.proxyProtocol.accept: accept needs from: the addresses of the proxies that may say who the client is',
  ],
])('%s', (text, problem) => {
  const result = read(text);
  expect('problems' in result && formatProblems(result.problems)).toBe(problem);
});
