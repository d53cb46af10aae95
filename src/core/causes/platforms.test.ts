// The same failures on each platform: what helps there is said, and nothing that only another one has.
import { describe, expect, it } from 'vitest';
import { explainBind } from './explain.ts';
import type { BindFacts, RivalSocket } from './facts.ts';

const host: BindFacts['host'] = {
  ...{ user: { name: 'ann', elevated: false }, ephemeral: { first: 49_152, last: 65_535 }, reserved: [] },
  ...{ excluded: [], unprivilegedFrom: 1024, mayBindPrivileged: false },
  ipv6: { available: true, reason: null },
  descriptors: { open: 256, soft: 256, hard: null },
  addresses: [{ address: '127.0.0.1', interface: 'lo0' }],
};
const facts = (platform: string, more: Partial<BindFacts>): BindFacts => ({
  platform,
  ...{ protocol: 'tcp', bind: { family: 'ipv4', address: '127.0.0.1', v6only: false }, port: 8080 },
  ...{ reuse: false, failure: null, rivals: [], table: { source: 'a table', blindSpots: [] }, host },
  ...more,
});
const over: RivalSocket = {
  bind: { family: 'ipv4', address: '127.0.0.1', v6only: null },
  ...{ state: 'time-wait', peer: '127.0.0.1:5000', holders: [], hidden: null, urls: [] },
};
const inUse = { code: 'EADDRINUSE', syscall: 'bind' };
const ofLinux =
  /ip_local|ip_unprivileged|CAP_NET|setcap|iptables|systemd|\/proc|sysctl -w net\.ipv4|LimitNOFILE/;

const failures: Record<string, Partial<BindFacts>> = {
  privileged: { port: 80, failure: { code: 'EACCES', syscall: 'bind' } },
  'no-descriptors': { failure: { code: 'EMFILE', syscall: 'socket' } },
  'time-wait': { failure: inUse, rivals: [over] },
  'no-such-address': { failure: { code: 'EADDRNOTAVAIL', syscall: 'bind' } },
  'sandbox-denied': { failure: { code: 'EPERM', syscall: 'bind' } },
  'ephemeral-range': { port: 50_000 },
};

describe('explainBind() speaks the language of the platform', () => {
  it.each(Object.keys(failures))('%s on macOS', (id) => {
    const { causes } = explainBind(facts('darwin', failures[id]!));
    expect(causes).toMatchObject([{ id }]);
    expect(JSON.stringify(causes)).not.toMatch(ofLinux);
  });

  it.each(['no-descriptors', 'time-wait', 'no-such-address', 'ephemeral-range'])('%s on Windows', (id) => {
    const { causes } = explainBind(facts('win32', failures[id]!));
    expect(causes).toMatchObject([{ id }]);
    expect(JSON.stringify(causes)).not.toMatch(ofLinux);
    expect(JSON.stringify(causes)).not.toMatch(/ulimit|sudo/);
  });

  it('tells how long TIME_WAIT lasts there', () => {
    const summary = (platform: string) =>
      explainBind(facts(platform, failures['time-wait']!)).causes[0]!.summary;
    expect(summary('linux')).toContain('60 s at the most on Linux, and the bind did not set SO_REUSEADDR');
    expect(summary('darwin')).toContain('30 s on macOS');
    expect(summary('win32')).toMatch(/4 minutes on Windows, by its TcpTimedWaitDelay$/);
  });

  it('on macOS a bind beside a wildcard of the same user proves nothing', () => {
    const wide = { ...over, bind: { ...over.bind, address: '0.0.0.0' }, state: 'listen' };
    const { verdict, causes } = explainBind(facts('darwin', { reuse: true, rivals: [wide] }));
    expect(verdict).toBe('held');
    expect(causes[0]!.evidence.at(-1)).toContain('macOS lets a wildcard and a single address share a port');
  });
});
