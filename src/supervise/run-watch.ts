// Who listens on the port that a command was given: its own process tree, a stranger, or nobody, and where else it does.
import type { Protocol } from '../core/endpoint.ts';
import type { ProcessNode, SocketRow, System } from '../system/index.ts';

export interface Listener {
  protocol: Protocol;
  address: string;
  port: number;
  pid: number;
  name: string;
}

export type Sight =
  | { kind: 'nothing' }
  /** `strangers` share the port with it, on another address or by SO_REUSEPORT. */
  | { kind: 'ready'; listeners: Listener[]; strangers: Listener[] }
  | { kind: 'stranger'; strangers: Listener[] }
  /** Somebody listens there who may not be looked into. */
  | { kind: 'hidden'; uid: number | null }
  /** The tree listens, but on other ports. */
  | { kind: 'elsewhere'; listeners: Listener[] };

export class PortWatch {
  readonly #system: System;
  readonly #port: number;
  readonly #members: () => Promise<ProcessNode[]>;
  /** Sockets that were there before the command. */
  #before: ReadonlySet<string> = new Set();
  /** Holders of newer sockets elsewhere, so that descriptors are walked for new ones only. */
  #holders = new Map<string, number[]>();

  constructor(system: System, port: number, members: () => Promise<ProcessNode[]>) {
    this.#system = system;
    this.#port = port;
    this.#members = members;
  }

  /** Call it before the command starts. @throws ReeveError `unsupported` where sockets cannot be seen. */
  async begin(): Promise<void> {
    this.#before = new Set((await this.#rows()).flatMap(({ id }) => id ?? []));
  }

  async look(): Promise<Sight> {
    const rows = (await this.#rows()).filter(
      (row) => row.port === this.#port || (row.protocol === 'tcp' && !this.#before.has(row.id ?? '')),
    );
    if (rows.length === 0) return { kind: 'nothing' };
    const holders = await this.#holdersOf(rows);
    // Only now: whoever was born into the tree a moment ago and listens already is in this list.
    const members = new Map((await this.#members()).map((node) => [node.pid, node]));
    const ofTree: Listener[] = [];
    const strangers: Listener[] = [];
    let hidden: SocketRow | null = null;
    for (const row of rows) {
      const here = row.port === this.#port;
      const pids = holders.get(row.id ?? '') ?? [];
      const own = pids.filter((pid) => members.has(pid));
      for (const pid of own) ofTree.push(listenerOf(row, pid, members.get(pid)!.name));
      const others = pids.filter((pid) => !members.has(pid) && pid !== process.pid);
      if (!here || own.length > 0) continue;
      for (const pid of others) {
        const facts = await this.#system.processes.facts(pid);
        if (facts) strangers.push(listenerOf(row, pid, facts.name));
      }
      if (pids.length === 0) hidden = row;
    }
    const listeners = ofTree.filter(({ port }) => port === this.#port);
    if (listeners.length > 0) return { kind: 'ready', listeners, strangers };
    if (strangers.length > 0) return { kind: 'stranger', strangers };
    if (hidden) return { kind: 'hidden', uid: hidden.uid };
    return ofTree.length > 0 ? { kind: 'elsewhere', listeners: ofTree } : { kind: 'nothing' };
  }

  async #rows(): Promise<SocketRow[]> {
    const { rows } = await this.#system.sockets.table({ listening: true });
    return rows;
  }

  async #holdersOf(rows: SocketRow[]): Promise<ReadonlyMap<string, number[]>> {
    const ids = new Set(rows.flatMap(({ id }) => id ?? []));
    const unknown = new Set([...ids].filter((id) => !this.#holders.has(id)));
    if (unknown.size > 0) {
      const { pids } = await this.#system.sockets.holders(unknown);
      for (const id of unknown) this.#holders.set(id, pids.get(id) ?? []);
    }
    const result = new Map(this.#holders);
    // Forgotten: closed sockets, those whose holder is not known yet, and the port's own, which children inherit.
    const own = new Set(rows.flatMap(({ id, port }) => (port === this.#port ? (id ?? []) : [])));
    for (const [id, pids] of result) {
      if (!ids.has(id) || own.has(id) || pids.length === 0) this.#holders.delete(id);
    }
    return result;
  }
}

function listenerOf({ protocol, address, port }: SocketRow, pid: number, name: string): Listener {
  return { protocol, address, port, pid, name };
}
