// What Windows says when a bind fails, told apart: in use, reserved, http.sys, exclusive, stolen.
import { describe, expect, it } from 'vitest';
import { explainBind } from './explain.ts';
import type { BindFacts, RivalSocket } from './facts.ts';

const facts: BindFacts = {
  platform: 'win32',
  protocol: 'tcp',
  bind: { family: 'ipv4', address: '127.0.0.1', v6only: false },
  port: 8080,
  reuse: true,
  failure: { code: 'EACCES', syscall: 'bind' },
  rivals: [],
  table: { source: 'iphlpapi', blindSpots: [] },
  host: {
    ...{ user: { name: 'ann', elevated: false }, ephemeral: { first: 49_152, last: 65_535 }, reserved: [] },
    ...{
      excluded: [],
      unprivilegedFrom: 0,
      mayBindPrivileged: true,
      ipv6: { available: true, reason: null },
    },
    ...{ descriptors: { open: null, soft: null, hard: null }, addresses: [] },
  },
};

function rival(pid: number, name: string, more: Partial<RivalSocket> = {}): RivalSocket {
  const nothing = {
    command: null,
    user: null,
    cwd: null,
    startedAt: null,
    unit: null,
    service: null,
    container: null,
  };
  return {
    bind: { family: 'ipv4', address: '0.0.0.0', v6only: null },
    ...{ state: 'listen', peer: null, hidden: null, urls: [] },
    holders: [{ pid, name, ancestors: [], ...nothing }],
    ...more,
  };
}

describe('explainBind() on Windows', () => {
  it('names an excluded range, of this protocol alone', () => {
    const host = { ...facts.host, excluded: [{ first: 8000, last: 8099, protocol: 'tcp' as const }] };
    const { verdict, causes } = explainBind({ ...facts, host });
    expect(verdict).toBe('refused');
    expect(causes).toMatchObject([{ id: 'excluded-range', confidence: 'certain' }]);
    expect(causes[0]!.evidence[0]).toBe('bind failed: EACCES (WSAEACCES 10013)');
    expect(causes[0]!.remedies.map(({ command }) => command)).toContain(
      'net stop winnat && net start winnat',
    );
    const udp = { ...facts.host, excluded: [{ first: 8000, last: 8099, protocol: 'udp' as const }] };
    expect(explainBind({ ...facts, host: udp }).causes).toMatchObject([{ id: 'exclusive-owner' }]);
  });

  it('names http.sys by its URLs', () => {
    const urls = ['HTTP://*:8080/ (PID 5120)'];
    const { verdict, causes } = explainBind({ ...facts, rivals: [rival(4, 'System', { urls })] });
    expect(verdict).toBe('held');
    expect(causes).toMatchObject([{ id: 'http-sys', summary: expect.stringContaining('PID 5120') }]);
  });

  it('calls a port held whose owner is exclusive', () => {
    const { verdict, causes } = explainBind({ ...facts, rivals: [rival(812, 'server.exe')] });
    expect(verdict).toBe('held');
    expect(causes[0]!.evidence).toContain('it is held exclusively (SO_EXCLUSIVEADDRUSE)');
  });

  it('does not call a port free because a bind beside its owner works', () => {
    const { verdict, causes } = explainBind({ ...facts, failure: null, rivals: [rival(812, 'node.exe')] });
    expect(verdict).toBe('held');
    expect(causes).toMatchObject([{ id: 'wildcard-overlap' }]);
    expect(causes[0]!.evidence.at(-1)).toContain('the more specific address');
  });

  it('says how to stop a service', () => {
    const one = rival(900, 'svchost.exe');
    one.holders[0]!.service = 'W32Time';
    const { causes } = explainBind({
      ...facts,
      failure: { code: 'EADDRINUSE', syscall: 'bind' },
      rivals: [one],
    });
    expect(causes[0]!.remedies[0]).toMatchObject({ command: 'net stop "W32Time"' });
  });
});
