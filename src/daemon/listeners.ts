// The listeners that the configuration names: sockets, engine and targets brought together, and changed while they run.
import { isDeepStrictEqual } from 'node:util';
import type { ListenerConfig } from '../config/index.ts';
import type { Memory } from '../health/index.ts';
import type { BindTools } from '../listen/index.ts';
import type { Background } from './background.ts';
import { claimHeld, closeAll, type Held, inOwnWay, openAll, wantsOf } from './bindings.ts';
import { createCertificateRoom } from './certificates.ts';
import type { Choice } from './engines.ts';
import { giveAll } from './estate.ts';
import type { HandlerRoom } from './handlers.ts';
import { listenerStatus, type Row } from './listener-status.ts';
import type { Metrics } from './metrics/index.ts';
import type { Prepared } from './prepared.ts';
import type { SinkRoom } from './sinks.ts';
import { Standings } from './standing.ts';
import type { ListenerStatus } from './status.ts';
import { createTargetOrders, type TargetOrders } from './target-orders.ts';
import type { TargetSource } from './targets.ts';
import { createTraffic } from './traffic.ts';

export interface ListenerParts {
  chooseEngine(config: ListenerConfig): Choice;
  tools: BindTools;
  metrics: Metrics;
  background: Background;
  memory: Pick<Memory, 'ejected' | 'keepEjected'>;
  /** Sockets of the daemon that is succeeded. */
  inherited?: Held[];
  sinks: SinkRoom;
  /** What listeners' certificate files are relative to. */
  folder: string;
  handlers: HandlerRoom;
  /** The live targets of a listener; null for one that has a sink. */
  targetsOf(name: string, config: ListenerConfig, changed: () => void): TargetSource | null;
}

export interface ListenerRoom extends TargetOrders {
  /** Binds what is missing. @throws ReeveError where an address cannot be had; then nothing has changed. */
  prepare(configs: Record<string, ListenerConfig>, signal: AbortSignal): Promise<Prepared>;
  /** Reads certificates anew. @throws ReeveError where one is wrong; then nothing has changed. */
  reread(): Promise<void>;
  /** Connections that are open to this instance of a service. */
  openTo(instance: string): number;
  /** Asks for the engine of each anew: one has failed. */
  chooseAgain(): void;
  status(): ListenerStatus[];
  /** Whether every address is listening, and somebody there to accept. */
  accepting(): boolean;
  /** Its sockets, for another daemon to accept on as well. @throws ReeveError where the system has no such thing. */
  give(): ReturnType<typeof giveAll>;
  /** Another daemon has them from now on: a drain leaves them open there. */
  cede(): void;
  /** Accepts no more; resolves when the last connection has ended, at the latest after `deadline` ms. */
  drain(deadline: number): Promise<void>;
}

/** Milliseconds that connections get to end by themselves when their listener is changed or removed. */
const drainDeadline = 30_000;

export function createListenerRoom(parts: ListenerParts): ListenerRoom {
  const { chooseEngine, tools, metrics, background, sinks, handlers } = parts;
  const { log } = tools.context;
  const rows = new Map<string, Row>();
  const certificates = createCertificateRoom({
    context: tools.context,
    folder: parts.folder,
    changed: (name) => refresh(name),
  });

  const heldNow = () => [...rows.values()].flatMap(({ binds }) => binds);
  const inherited = [...(parts.inherited ?? [])];
  const planOf = ({
    name,
    config,
    source,
    standings,
  }: Pick<Row, 'name' | 'config' | 'source' | 'standings'>) => {
    standings.observe(source?.list() ?? []);
    const targetsOf = (route?: string | null) => standings.targets(source?.list(route) ?? []);
    return {
      name,
      config,
      targets: targetsOf(source?.routes && null),
      sink: config.sink === undefined ? null : sinks.get(config.sink),
      routes: (source?.routes ?? []).map((serverName) => ({ serverName, targets: targetsOf(serverName) })),
      ...certificates.of(name),
      handler: config.handler ? handlers.get(name) : null,
    };
  };
  const statusOf = (row: Row) =>
    listenerStatus(
      row,
      certificates.status(row.name),
      row.config.handler ? handlers.get(row.name).counters() : null,
    );
  const refresh = (name: string) => {
    const row = rows.get(name);
    row?.engine.update(planOf(row));
  };
  const sourceOf = (name: string, config: ListenerConfig) =>
    parts.targetsOf(name, config, () => refresh(name));
  const standingsOf = (name: string) =>
    new Standings(name, tools.context, {
      memory: parts.memory,
      changed: () => refresh(name),
      end(target, reason) {
        const row = rows.get(name);
        for (const engine of row ? [row.engine, ...row.before] : []) engine.end(target, reason);
      },
    });

  function start(name: string, config: ListenerConfig, binds: Held[]): void {
    const source = sourceOf(name, config);
    const standings = standingsOf(name);
    standings.configure(config.balance);
    const current = () => rows.get(name)?.source?.list() ?? [];
    const traffic = createTraffic(log, metrics.connectionEnded, (target, code) =>
      standings.outcome(target, code, current),
    );
    const start = { name, config, binds, standings, source, traffic };
    const carrier = chooseEngine(config);
    const serving = carrier.engine.serve(
      planOf(start),
      binds.map((held) => held.lend()),
      traffic,
    );
    rows.set(name, { ...start, carrier, engine: serving, before: new Set() });
  }

  function change(row: Row, config: ListenerConfig, binds: Held[]): void {
    if (!isDeepStrictEqual(destinationsOf(row.config), destinationsOf(config))) {
      row.source?.close();
      row.source = sourceOf(row.name, config);
    }
    row.config = config;
    row.standings.configure(config.balance);
    const carrier = chooseEngine(config);
    const sameEngine = carrier.engine === row.carrier.engine;
    row.carrier = carrier;
    if (sameEngine && binds.length === row.binds.length && binds.every((held) => row.binds.includes(held))) {
      row.engine.update(planOf(row));
      return;
    }
    const before = row.engine;
    row.binds = binds;
    // The sockets that stay are lent anew: they go on to the next engine listener with whoever waits in them.
    row.engine = carrier.engine.serve(
      planOf(row),
      binds.map((held) => held.lend()),
      row.traffic,
    );
    row.before.add(before);
    const drained = before.drain(drainDeadline).finally(() => row.before.delete(before));
    background.add(`drain of listener ${row.name}`, drained);
  }

  async function remove(row: Row): Promise<void> {
    row.source?.close();
    row.standings.close();
    await Promise.all([row.engine, ...row.before].map((each) => each.drain(drainDeadline)));
    if (!rows.has(row.name)) metrics.forget('listener', row.name);
  }

  return {
    reread: () => certificates.reread(),
    async prepare(configs, signal) {
      const secrets = await certificates.prepare(configs);
      const wants = wantsOf(configs);
      const held = [...heldNow(), ...inherited];
      const claimed = claimHeld(wants, held);
      const missing = wants.filter((want) => !claimed.has(want));
      const opened = await openAll(missing, tools, signal).catch((error) => {
        throw inOwnWay(error, missing, held);
      });
      const bindsOf = (name: string) =>
        wants
          .filter(({ listener }) => listener === name)
          .map((want) => claimed.get(want) ?? opened.get(want)!);
      return {
        abandon: () => closeAll(opened),
        commit() {
          secrets.commit();
          const used = new Set(claimed.values());
          for (const held of inherited.splice(0)) if (!used.has(held)) void held.binding.close();
          for (const [want, held] of claimed) if (held.listener !== want.listener) held.moveTo(want.listener);
          const removed = [...rows.values()].filter(({ name }) => !Object.hasOwn(configs, name));
          for (const { name } of removed) rows.delete(name);
          for (const [name, config] of Object.entries(configs)) {
            const row = rows.get(name);
            const binds = bindsOf(name);
            if (row) change(row, config, binds);
            else start(name, config, binds);
          }
          const gone = Promise.all(removed.map(remove));
          return { retire: async () => void (await gone) };
        },
      };
    },
    ...createTargetOrders(rows, refresh),
    openTo(instance) {
      const open = [...rows.values()].flatMap((row) => statusOf(row).targets);
      return open
        .filter((target) => target.instance === instance)
        .reduce((sum, { connections }) => sum + connections.active, 0);
    },
    chooseAgain() {
      for (const row of rows.values()) {
        if (chooseEngine(row.config).engine !== row.carrier.engine) change(row, row.config, row.binds);
      }
    },
    status: () => [...rows.values()].map((row) => statusOf(row)),
    accepting: () =>
      [...rows.values()].every(
        ({ binds, engine }) =>
          binds.every(({ binding }) => binding.listening()) && (engine.accepts?.() ?? true),
      ),
    give: () => giveAll(heldNow()),
    cede() {
      for (const { binding } of heldNow()) binding.cede();
    },
    async drain(deadline) {
      await Promise.all(
        [...rows.values()].flatMap(({ engine, before }) =>
          [engine, ...before].map((each) => each.drain(deadline)),
        ),
      );
      for (const { source, standings } of rows.values()) {
        source?.close();
        standings.close();
      }
      certificates.close();
    },
  };
}

/** What its targets are made from. */
function destinationsOf({ balance, tls }: ListenerConfig) {
  return [balance, tls?.sni];
}
