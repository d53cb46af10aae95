// Passes everything that comes to one port on to another on this machine, with the daemon's own relay.
import { isLoopback } from '../core/address.ts';
import { silentLog, systemClock } from '../core/context.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import { openListener } from '../listen/index.ts';
import { createPortableEngine } from '../relay/index.ts';

/**
 * Listens on every address, as most servers do; on loopback alone where that is all that the other end does, such as a
 * debugger: who kept the network out shall not find it let in. Returns how to end it and the connections that it has.
 * @throws ReeveError where the port cannot be listened on.
 */
export async function relayPort(
  port: number,
  { address: reached, port: at }: { address: string; port: number },
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  // A server that listens on every address is reached on loopback.
  const host = reached === '0.0.0.0' ? '127.0.0.1' : reached === '::' ? '::1' : reached;
  const target = formatHostPort(host, at);
  const { formatProblems, parseConfig } = await import('../config/index.ts');
  const text = `listeners: { relay: { bind: ["[::]:${port}"], balance: { targets: ["${target}"] } } }`;
  const parsed = parseConfig(text, { file: 'relay', env: {} });
  if ('problems' in parsed) throw new ReeveError('usage', formatProblems(parsed.problems));
  const config = parsed.config.listeners.relay!;
  const name = 'relay';
  const context = { clock: systemClock, random: Math.random, log: silentLog, emit() {} };
  const request = (host: string) => ({
    name,
    endpoint: { protocol: 'tcp' as const, host, port },
    v6only: false,
    backlog: 511,
    conflict: { ...config.conflict, policy: 'fail' as const },
  });
  const tools = { context, explain: async () => 'another program listens there', async evict() {} };
  const open = (host: string) => openListener(request(host), tools, signal);
  const bindings = isLoopback(reached) ? await openLoopback(open) : [await open('::')];
  const plan = {
    name,
    config,
    targets: [
      {
        id: target,
        host,
        port: at,
        weight: 1,
        backup: false,
        verdict: 'up' as const,
        draining: false,
        max: null,
      },
    ],
    sink: null,
    handler: null,
  };
  const silent = {
    opened() {},
    refused() {},
    received() {},
    sent() {},
    datagram() {},
    targetFailed() {},
    targetTook() {},
    ended() {},
  };
  const listener = createPortableEngine(context).serve(plan, bindings, silent);
  return () => listener.drain(0);
}

/** Both families, since `localhost` may mean either; without IPv6, the other alone. */
async function openLoopback<Binding>(open: (host: string) => Promise<Binding>): Promise<Binding[]> {
  const v4 = await open('127.0.0.1');
  const v6 = await open('::1').catch(() => null);
  return v6 === null ? [v4] : [v4, v6];
}
