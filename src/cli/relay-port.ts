// Passes everything that comes to one port on to another on this machine, with the daemon's own relay.
import { silentLog, systemClock } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { openListener } from '../listen/index.ts';
import { createPortableEngine } from '../relay/index.ts';

/**
 * Listens on every address, as most servers do. Returns how to end it and the connections that it has.
 * @throws ReeveError where the port cannot be listened on.
 */
export async function relayPort(
  port: number,
  to: { host: string; port: number },
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const target = `${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`;
  const { formatProblems, parseConfig } = await import('../config/index.ts');
  const text = `listeners: { relay: { bind: ["[::]:${port}"], balance: { targets: ["${target}"] } } }`;
  const parsed = parseConfig(text, { file: 'relay', env: {} });
  if ('problems' in parsed) throw new ReeveError('usage', formatProblems(parsed.problems));
  const config = parsed.config.listeners.relay!;
  const name = 'relay';
  const context = { clock: systemClock, random: Math.random, log: silentLog, emit() {} };
  const request = {
    name,
    endpoint: { protocol: 'tcp' as const, host: '::', port },
    v6only: false,
    backlog: 511,
    conflict: { ...config.conflict, policy: 'fail' as const },
  };
  const tools = { context, explain: async () => 'another program listens there', async evict() {} };
  const binding = await openListener(request, tools, signal);
  const plan = {
    name,
    config,
    targets: [
      { id: target, ...to, weight: 1, backup: false, verdict: 'up' as const, draining: false, max: null },
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
  const listener = createPortableEngine(context).serve(plan, [binding], silent);
  return () => listener.drain(0);
}
