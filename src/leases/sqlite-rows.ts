// The tables of the lease book, and their rows as values.
import type { LeaseOwner, LeaseState, Tenure } from '../core/lease.ts';
import type { AuditEntry, AuditKind, Lease } from './book.ts';

const auditColumns = 'wall, kind, name, port, grant_id, host, pid, start, started_wall, evidence';
const of = (row: string) => `${row}.host, ${row}.pid, ${row}.start, ${row}.started_wall`;
const granted = `insert into audit (id, ${auditColumns}) values
    (new.grant_id, new.changed_wall, 'granted', new.name, new.port, new.grant_id, ${of('new')}, new.evidence)`;

/**
 * One row a port, kept after its lease ended: that is how a name gets its port again. So there are at most as many
 * rows as ports. `ended_at` is null while the lease goes on. `home` orders the ports of a name; `grant_id` is the
 * audit entry of the grant, and never comes again. Columns in `_at` are of the machine's clock, `_wall` are for
 * showing; `evidence` is of the last change.
 *
 * The audit of grants and ends is written by triggers, so that each is one statement, which is a transaction by
 * itself; and there is no index but by name, so that a grant changes two pages. Both are most of its speed: what
 * looks for the port that rested longest, or for leases that have run out, may read 12,000 rows instead.
 */
export const migrations = [
  `create table lease (
    port integer primary key,
    name text,
    home integer not null,
    grant_id integer not null,
    state text not null,
    host text not null,
    pid integer,
    start text,
    started_wall integer,
    ttl integer not null,
    renewed_at integer not null,
    ends_at integer not null,
    ended_at integer,
    renewals integer not null,
    granted_wall integer not null,
    changed_wall integer not null,
    evidence text not null
  ) strict;
  create index lease_name on lease (name, home);
  create table audit (
    id integer primary key,
    wall integer not null,
    kind text not null,
    name text not null,
    port integer not null,
    grant_id integer not null,
    host text not null,
    pid integer,
    start text,
    started_wall integer,
    evidence text not null
  ) strict;
  create trigger lease_first_granted after insert on lease begin
    ${granted};
  end;
  create trigger lease_granted after update on lease when new.grant_id > old.grant_id begin
    ${granted};
  end;
  create trigger lease_ended after update on lease
  when old.grant_id = new.grant_id and old.ended_at is null and new.ended_at is not null begin
    insert into audit (${auditColumns})
      select new.changed_wall, 'renewed', old.name, old.port, old.grant_id, ${of('old')},
        json_object('times', old.renewals)
      where old.renewals > 0;
    insert into audit (${auditColumns}) values
      (new.changed_wall, new.state, old.name, old.port, old.grant_id, ${of('old')}, new.evidence);
  end`,
];

export interface LeaseRow {
  port: number;
  name: string | null;
  home: number;
  grant_id: number;
  state: LeaseState | 'refused';
  host: string;
  pid: number | null;
  start: string | null;
  started_wall: number | null;
  ttl: number;
  renewed_at: number;
  ends_at: number;
  ended_at: number | null;
  renewals: number;
  granted_wall: number;
  changed_wall: number;
  evidence: string;
}

export interface AuditRow {
  wall: number;
  kind: AuditKind;
  name: string;
  port: number;
  grant_id: number;
  host: string;
  pid: number | null;
  start: string | null;
  started_wall: number | null;
  evidence: string;
}

type OwnerColumns = Pick<LeaseRow, 'host' | 'pid' | 'start' | 'started_wall'>;

export function ownerOf({ host, pid, start, started_wall: startedAt }: OwnerColumns): LeaseOwner {
  return { host, pid, start, startedAt };
}

export function tenureOf(row: LeaseRow): Tenure {
  return {
    name: row.name,
    owner: ownerOf(row),
    renewedAt: row.renewed_at,
    endsAt: row.ends_at,
    endedAt: row.ended_at,
  };
}

export function leaseOf(row: LeaseRow, now: { monotonic: number; wall: number }): Lease {
  return {
    id: String(row.grant_id),
    name: row.name ?? '',
    port: row.port,
    owner: ownerOf(row),
    state: row.state === 'refused' ? 'released' : row.state,
    ttlMs: row.ttl,
    grantedAt: row.granted_wall,
    expiresAt: now.wall + row.ends_at - now.monotonic,
    renewals: row.renewals,
  };
}

export function auditEntryOf(row: AuditRow): AuditEntry {
  return {
    at: row.wall,
    kind: row.kind,
    name: row.name,
    port: row.port,
    lease: String(row.grant_id),
    owner: ownerOf(row),
    evidence: JSON.parse(row.evidence) as Record<string, unknown>,
  };
}
