// The keys of a pool in Consul: read as a whole or one by one, and changed in transactions that fail where another was quicker.
import { ReeveError } from '../../core/errors.ts';
import type { Consul } from '../../store/index.ts';
import type { AuditEntry } from '../book.ts';
import { type ConsulRow, type Kept, parseRow } from './rows.ts';

export interface Operation {
  KV: { Verb: string; Key: string; Value?: string; Index?: number; Session?: string };
}

export type Outcome = { done: true } | { done: false; lockDelayed: string[] };

/** Of Consul's. */
export const mostOperations = 64;

interface Entry {
  Key: string;
  Value: string | null;
  ModifyIndex: number;
  CreateIndex: number;
  Session?: string;
}

export class Keys {
  readonly #consul: Consul;
  readonly #prefix: string;

  constructor(consul: Consul, prefix: string) {
    this.#consul = consul;
    this.#prefix = prefix;
  }

  async all(): Promise<{ kept: Map<number, Kept>; foreign: Set<number> }> {
    const kept = new Map<number, Kept>();
    const foreign = new Set<number>();
    for (const entry of await this.#read(`${this.#prefix}/ports/`, { recurse: '' })) {
      const port = Number(entry.Key.slice(entry.Key.lastIndexOf('/') + 1));
      const found = keptOf(port, entry);
      if (found) kept.set(port, found);
      else foreign.add(port);
    }
    return { kept, foreign };
  }

  async at(port: number): Promise<Kept | null> {
    const [entry] = await this.#read(this.port(port), {});
    return entry ? keptOf(port, entry) : null;
  }

  /** Oldest first: Consul numbers its transactions, and an entry's key those within one. */
  async audit(): Promise<AuditEntry[]> {
    const entries = await this.#read(`${this.#prefix}/audit/`, { recurse: '' });
    entries.sort((a, b) => a.CreateIndex - b.CreateIndex || (a.Key < b.Key ? -1 : 1));
    return entries.flatMap((entry) => {
      try {
        return [JSON.parse(decode(entry.Value)) as AuditEntry];
      } catch {
        return [];
      }
    });
  }

  async auditKeys(): Promise<string[]> {
    const { body } = await this.#consul.ask(this.#path(`${this.#prefix}/audit/`), { query: { keys: '' } });
    return Array.isArray(body) ? body.map(String).sort() : [];
  }

  async transact(operations: Operation[]): Promise<Outcome> {
    const { status, body } = await this.#consul.ask('/v1/txn', {
      ...{ method: 'PUT', body: operations, accept: [409] },
    });
    if (status !== 409) return { done: true };
    const errors = ((body as { Errors?: { OpIndex: number; What: string }[] } | null)?.Errors ?? []).filter(
      Boolean,
    );
    const denied = errors.find(({ What }) => /permission denied/i.test(What));
    if (denied) throw new ReeveError('unauthorized', `Consul refuses: ${denied.What}`);
    const delayed = errors.filter(({ What }) => What.includes('lock delay'));
    return { done: false, lockDelayed: delayed.flatMap(({ OpIndex }) => operations[OpIndex]?.KV.Key ?? []) };
  }

  port(port: number): string {
    return `${this.#prefix}/ports/${port}`;
  }

  auditKey(name: string): string {
    return `${this.#prefix}/audit/${name}`;
  }

  async #read(key: string, query: Record<string, string>): Promise<Entry[]> {
    const { body } = await this.#consul.ask(this.#path(key), { query });
    return Array.isArray(body) ? (body as Entry[]) : [];
  }

  #path(key: string): string {
    return `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;
  }
}

function keptOf(port: number, entry: Entry): Kept | null {
  const row = parseRow(decode(entry.Value));
  if (!row || !Number.isInteger(port)) return null;
  return { port, index: entry.ModifyIndex, session: entry.Session || null, row };
}

const decode = (value: string | null) => Buffer.from(value ?? '', 'base64').toString('utf8');

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

/** Nobody has written it since it was read; null: there is none. */
export function unchanged(Key: string, kept: Kept | null): Operation {
  if (!kept) return { KV: { Verb: 'check-not-exists', Key } };
  return { KV: { Verb: 'check-index', Key, Index: kept.index } };
}

export const lock = (Key: string, Session: string, row: ConsulRow): Operation => ({
  KV: { Verb: 'lock', Key, Session, Value: encode(row) },
});

export const unlock = (Key: string, Session: string, row: ConsulRow): Operation => ({
  KV: { Verb: 'unlock', Key, Session, Value: encode(row) },
});

/** Whoever has its lock keeps it. */
export const write = (Key: string, value: unknown): Operation => ({
  KV: { Verb: 'set', Key, Value: encode(value) },
});

export const remove = (Key: string): Operation => ({ KV: { Verb: 'delete', Key } });

export const heldBy = (Key: string, Session: string): Operation => ({
  KV: { Verb: 'check-session', Key, Session },
});
