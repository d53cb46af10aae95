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
    {
      url: 'tls://localhost:8443',
      verdict: 'up',
      degraded: true,
      ms: 4.8,
      reason: 'expiring',
      detail:
        'TLSv1.3 with 127.0.0.1:8443, certificate until 2026-01-09; the certificate ends on 2026-01-09, in 4 days',
      address: '127.0.0.1:8443',
      certificateExpiresAt: '2026-01-09T09:30:00.000Z',
    },
    {
      url: 'http://127.0.0.1:8080/',
      verdict: 'down',
      degraded: false,
      ms: 1.2,
      reason: 'refused',
      detail: 'connection refused (127.0.0.1:8080)',
      address: null,
      certificateExpiresAt: null,
    },
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
