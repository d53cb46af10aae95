// The JSON that reeve prints: one schema a shape. Types and docs/json.md come from here.
import * as z from 'zod';

const nullable = <T extends z.ZodType>(schema: T) => schema.nullable();
const protocol = z.enum(['tcp', 'udp']);

const holderSchema = z
  .object({
    pid: z.int(),
    name: z.string().describe('of the program, as the system has it'),
    command: nullable(z.string()).describe('the command line, words joined by spaces'),
    user: nullable(z.string()).describe('name, or number where it has none'),
    cwd: nullable(z.string()).describe('working directory'),
    startedAt: nullable(z.iso.datetime()),
    ancestors: z.array(z.object({ pid: z.int(), name: z.string() })).describe('parent first'),
    unit: nullable(z.string()).describe('systemd unit'),
    service: nullable(z.string()).describe('Windows service'),
    container: nullable(z.string()).describe('container id'),
  })
  .describe('a process that has the socket open');

export const socketSchema = z
  .object({
    protocol,
    family: z.enum(['ipv4', 'ipv6']),
    address: z.string().describe('local address; 0.0.0.0 and :: are all of them'),
    port: z.int(),
    state: z.string().describe('listen, bound, unconnected, established, time-wait…'),
    peer: nullable(z.string()).describe('host:port of the other end'),
    namespace: nullable(z.string()).describe("null: this process's own network namespace"),
    holders: z.array(holderSchema).describe('empty where nobody has it open, or nobody can be seen'),
    hidden: nullable(
      z.object({ reason: z.string(), needs: nullable(z.string()).describe('what would show the holder') }),
    ).describe('why the holders cannot be shown, or not all of them'),
  })
  .describe("one row of the system's socket table");

export const whoSchema = z.object({ sockets: z.array(socketSchema) });

const remedySchema = z.object({
  title: z.string().describe('what to do, in a few words'),
  command: nullable(z.string()).describe('what to type, where one command does it'),
});

const causeSchema = z.object({
  id: z.string().describe('see docs/causes.md'),
  confidence: z.enum(['certain', 'likely', 'possible']),
  summary: z.string().describe('one sentence'),
  evidence: z.array(z.string()).describe('what was seen that speaks for it'),
  remedies: z.array(remedySchema).describe('what can be done, best first'),
});

export const whySchema = z.object({
  endpoint: z.string().describe('what was bound, such as tcp://0.0.0.0:8080'),
  verdict: z
    .enum(['free', 'held', 'refused', 'unknown'])
    .describe('refused: nobody has it, yet the system does not give it out'),
  error: nullable(z.object({ code: z.string(), syscall: z.string() })).describe('why the bind failed'),
  causes: z.array(causeSchema).describe('most likely first'),
});

export const freeSchema = z.object({
  results: z.array(
    z.object({
      endpoint: z.string(),
      outcome: z.enum(['freed', 'already-free', 'planned', 'refused', 'failed']),
      plan: z
        .array(z.object({ action: z.string(), subject: z.string() }))
        .describe('the steps in order: what is done to whom'),
      reason: nullable(z.string()).describe('why it was refused or failed'),
      proof: nullable(z.string()).describe('how it was made sure that the port is free'),
    }),
  ),
});

export const checkSchema = z.object({
  results: z.array(
    z.object({
      url: z.string(),
      verdict: z.enum(['up', 'down', 'unknown']),
      degraded: z.boolean().describe('up, but to be looked at: the reason says why'),
      ms: nullable(z.number()).describe('how long the answer took'),
      reason: nullable(z.string()).describe('a stable word for what failed, such as refused or timeout'),
      detail: nullable(z.string()).describe('more about the reason or the answer, for a person'),
      address: nullable(z.string()).describe('which address of the name answered'),
      certificateExpiresAt: nullable(z.iso.datetime()).describe(
        'the earliest end of a certificate of its chain',
      ),
    }),
  ),
});

export const scanSchema = z.object({
  host: z.string().describe('as it was asked for'),
  method: z.enum(['connect', 'syn', 'udp']),
  open: z.array(
    z.object({
      port: z.int(),
      protocol,
      service: nullable(z.string()).describe('what usually has this port'),
      banner: nullable(z.string()).describe('what it said first, with --banner'),
    }),
  ),
  counts: z
    .object({ open: z.int(), closed: z.int(), filtered: z.int() })
    .describe(
      'filtered: no answer, or one on the way that it cannot be reached; of UDP also an open port that stays silent',
    ),
  ms: z.number().describe('how long the scan took'),
});

const leaseOwnerSchema = z
  .object({
    host: z.string(),
    pid: nullable(z.int()).describe('null: no process keeps it, only its time'),
    startedAt: nullable(z.iso.datetime()),
  })
  .describe('the process that keeps it by a heartbeat');

export const leaseSchema = z.object({
  leases: z.array(
    z.object({
      name: z.string(),
      port: z.int(),
      protocol: z.literal('tcp').describe('the number is kept free of UDP as well'),
      owner: leaseOwnerSchema,
      grantedAt: z.iso.datetime(),
      expiresAt: z.iso.datetime().describe('unless a heartbeat prolongs it'),
      state: z
        .enum(['offered', 'bound', 'released', 'expired'])
        .describe('bound: a server of its owner was seen to listen there'),
    }),
  ),
});

export const leaseAuditSchema = z.object({
  entries: z
    .array(
      z.object({
        at: z.iso.datetime(),
        kind: z
          .enum(['granted', 'renewed', 'bound', 'moved', 'released', 'expired', 'refused', 'stolen'])
          .describe('refused: its bind failed; stolen: somebody else bound it; renewed: a count, at its end'),
        name: z.string(),
        port: z.int(),
        owner: leaseOwnerSchema,
        evidence: z.record(z.string(), z.unknown()).describe('what was seen'),
      }),
    )
    .describe('oldest first'),
});

export type HolderRecord = z.infer<typeof holderSchema>;
export type SocketRecord = z.infer<typeof socketSchema>;
export type WhoRecord = z.infer<typeof whoSchema>;
export type CauseRecord = z.infer<typeof causeSchema>;
export type WhyRecord = z.infer<typeof whySchema>;
export type FreeRecord = z.infer<typeof freeSchema>;
export type FreeResult = FreeRecord['results'][number];
export type CheckRecord = z.infer<typeof checkSchema>;
export type CheckResult = CheckRecord['results'][number];
export type ScanRecord = z.infer<typeof scanSchema>;
export type LeaseRecord = z.infer<typeof leaseSchema>;
export type LeaseAuditRecord = z.infer<typeof leaseAuditSchema>;
