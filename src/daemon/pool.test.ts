// Which ports are never leased, because the configuration gives them to somebody.
import { expect, test } from 'vitest';
import { parseConfig } from '../config/index.ts';
import { spokenFor } from './pool.ts';

test('ports that are fixed, listened on, or kept out are spoken for', () => {
  const text = `
control: { listen: "127.0.0.1:20001" }
ports: { exclude: [20002] }
services:
  one: { command: [x], ports: { http: 20003, admin: auto } }
listeners:
  web: { bind: ["[::]:20004", "127.0.0.1:0"], sink: s }
sinks: { s: { stdout: true } }
`;
  const result = parseConfig(text, { file: 'r.yaml', env: {} });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  const ports = spokenFor(result.config).map(({ first, last }) => [first, last]);
  expect(ports.sort()).toEqual([20001, 20002, 20003, 20004].map((port) => [port, port]));
});
