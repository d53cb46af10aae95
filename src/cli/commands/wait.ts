// reeve wait: until services are up, or until ports are free.
import { exit, ReeveError } from '../../core/errors.ts';
import { parseDuration } from '../../core/quantity.ts';
import type { CheckResult } from '../../core/records.ts';
import type { Ask } from '../../ports/index.ts';
import { action, type Common, command, type Define, json, setting, wholeNumber } from '../define.ts';
import type { Io } from '../io.ts';
import { type ProbeFlags, probeOptions, withProbeFlags } from '../probe-flags.ts';

interface Options extends Common, ProbeFlags {
  free?: boolean;
  timeout: number;
  interval: number;
  successes: number;
}

export const waitCommand: Define = (io) =>
  withProbeFlags(
    command(
      'wait',
      'wait until all are up, or until ports are free',
      `
reeve wait tcp://localhost:5432 http://localhost:8080/healthz
reeve wait 8080 --timeout 30s && npm run e2e
reeve wait --free 3000 --timeout 90s`,
    )
      .argument('<url...>', 'as for check; with --free a port or host:port')
      .option('--free', 'wait until the port can be bound instead')
      .addOption(setting('--timeout <duration>', 'for all together', parseDuration, '60s'))
      .addOption(setting('--interval <duration>', 'between two tries', parseDuration, '250ms'))
      .option('--successes <count>', 'successes in a row that count as up', wholeNumber(1, 1000), 1),
  ).action(action<Options>(io, (operands, options) => run(io, operands, options)));

async function run(io: Io, operands: string[], options: Options): Promise<number> {
  if (options.interval < 1) throw new ReeveError('usage', '--interval must be at least 1ms');
  const [{ waitFor }, { renderChecks }] = await Promise.all([
    import('../../ports/index.ts'),
    import('../render/checks.ts'),
  ]);
  const ask = options.free ? await askWhetherFree() : await askWhetherUp(operands, options);
  const { openSpinner } = await import('../render/progress.ts');
  const spinner = await openSpinner(io, options);
  const last = new Map<string, string>();
  const onResult = ({ url, verdict, reason }: CheckResult) => {
    last.set(
      url,
      `${url} ${options.free ? waitForFreeWords[verdict] : verdict}${reason ? `, ${reason}` : ''}`,
    );
    spinner.say([...last.values()].join('; '));
  };
  const { timeout: timeoutMs, interval: intervalMs, successes } = options;
  const results = await waitFor(
    operands,
    ask,
    { timeoutMs, intervalMs, successes, onResult },
    io.signal,
  ).finally(spinner.close);
  if (options.json) io.out(json({ results }));
  else if (!options.quiet) renderChecks(results, io, options.free ? waitForFreeWords : undefined);
  return results.every(({ verdict, reason }) => verdict === 'up' && reason !== 'timeout')
    ? exit.done
    : exit.timeout;
}

const waitForFreeWords = { up: 'free', down: 'held', unknown: 'unknown' };

async function askWhetherUp(operands: string[], flags: ProbeFlags): Promise<Ask> {
  const { askOnce } = await import('../probing.ts');
  return askOnce(operands, { timeout: 3000, ...probeOptions(flags) });
}

/** Up means free here: the wait's own word for what it waits for. */
async function askWhetherFree(): Promise<Ask> {
  const [{ selectSystem }, { why }] = await Promise.all([
    import('../../system/select.ts'),
    import('../../ports/index.ts'),
  ]);
  const system = await selectSystem();
  return async (subject) => {
    const { endpoint, verdict, error, causes } = await why(system, subject);
    if (verdict === 'refused')
      throw new ReeveError('conflict', `${endpoint} will not become free: ${causes[0]?.summary}`);
    const none = { degraded: false, ms: null, address: null, certificateExpiresAt: null };
    // Where there is no socket table, a bind that worked is all that can be known.
    if (verdict === 'free' || (verdict === 'unknown' && error === null))
      return { ...none, url: endpoint, verdict: 'up', reason: null, detail: null };
    const detail = causes[0]?.summary ?? null;
    return { ...none, url: endpoint, verdict: 'down', reason: verdict, detail };
  };
}
