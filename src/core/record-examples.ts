// One example of each JSON shape, for docs/json.md. The compiler and a test keep them true.
import type {
  CheckRecord,
  FreeRecord,
  LeaseAuditRecord,
  LeaseRecord,
  ScanRecord,
  WhoRecord,
  WhyRecord,
} from './records.ts';

const who: WhoRecord = {
  sockets: [
    {
      protocol: 'tcp',
      family: 'ipv6',
      address: '::',
      port: 8080,
      state: 'listen',
      peer: null,
      namespace: null,
      holders: [
        {
          pid: 4242,
          name: 'node',
          command: 'node server.js',
          user: 'deploy',
          cwd: '/srv/app',
          startedAt: '2026-01-05T09:30:00.000Z',
          ancestors: [{ pid: 1, name: 'systemd' }],
          unit: 'app.service',
          service: null,
          container: null,
        },
      ],
      hidden: null,
    },
  ],
};

const why: WhyRecord = {
  endpoint: 'tcp://0.0.0.0:8080',
  verdict: 'held',
  error: { code: 'EADDRINUSE', syscall: 'bind' },
  causes: [
    {
      id: 'dual-stack-overlap',
      confidence: 'certain',
      summary: 'node (4242) listens on [::]:8080, which takes IPv4 as well',
      evidence: ['tcp [::]:8080 listen, process 4242', 'the socket is not IPv6-only'],
      remedies: [{ title: 'End the process', command: 'reeve free 8080' }],
    },
  ],
};

const free: FreeRecord = {
  results: [
    {
      endpoint: 'tcp://0.0.0.0:8080',
      outcome: 'freed',
      plan: [{ action: 'terminate', subject: 'node (4242)' }],
      reason: null,
      proof: 'bound and listened on 0.0.0.0:8080, and nothing took it for 2 s',
    },
  ],
};

const check: CheckRecord = {
  results: [
    { url: 'tcp://127.0.0.1:5432', verdict: 'up', ms: 0.8, reason: null, detail: null },
    { url: 'http://127.0.0.1:8080/', verdict: 'down', ms: 1.2, reason: 'refused', detail: 'ECONNREFUSED' },
  ],
};

const scan: ScanRecord = {
  host: '127.0.0.1',
  method: 'connect',
  open: [{ port: 22, protocol: 'tcp', service: 'ssh', banner: null }],
  counts: { open: 1, closed: 1023, filtered: 0 },
  ms: 41.5,
};

const owner = { host: 'build-1', pid: 4242, startedAt: '2026-01-05T09:30:00.000Z' };

const lease: LeaseRecord = {
  leases: [
    {
      name: 'web',
      port: 20000,
      protocol: 'tcp',
      owner,
      grantedAt: '2026-01-05T09:30:00.000Z',
      expiresAt: '2026-01-05T09:30:15.000Z',
      state: 'bound',
    },
  ],
};

const leaseAudit: LeaseAuditRecord = {
  entries: [
    {
      at: '2026-01-05T09:30:00.000Z',
      kind: 'moved',
      name: 'web',
      port: 20001,
      owner,
      evidence: { from: 20000, why: 'python3 (PID 99) has it', to: 20001 },
    },
  ],
};

export const recordExamples = { who, why, free, check, scan, lease, leaseAudit };
