// reeve check: one probe each, for people and as a container's liveness probe.
import { exit } from '../../core/errors.ts';
import { parseDuration } from '../../core/quantity.ts';
import { action, type Common, command, type Define, json, setting } from '../define.ts';
import type { Io } from '../io.ts';
import { type ProbeFlags, probeOptions, withProbeFlags } from '../probe-flags.ts';

interface Options extends Common, ProbeFlags {
  timeout: number;
}

export const checkCommand: Define = (io) =>
  withProbeFlags(
    command(
      'check',
      'probe each URL once: is it up?',
      `
reeve check tcp://127.0.0.1:5432 https://example.com/healthz
reeve check 8080                 short for tcp://localhost:8080
reeve check tls://example.com --min-days 30
reeve check tcp://127.0.0.1:6379 --send $'PING\\r\\n' --expect PONG
reeve check grpc://127.0.0.1:50051/my.Service unix:/run/app.sock 'exec:./check.sh --fast'
HEALTHCHECK CMD ["reeve", "check", "-q", "http://127.0.0.1:8080/healthz"]`,
    )
      .argument(
        '<url...>',
        'tcp://host:port, udp://…, http(s)://…, grpc(s)://host:port/service, tls://…, unix:/path, exec:command, or a port',
      )
      .addOption(setting('--timeout <duration>', 'for each probe', parseDuration, '3s')),
  ).action(action<Options>(io, (operands, options) => run(io, operands, options)));

async function run(io: Io, operands: string[], options: Options): Promise<number> {
  const [{ askOnce }, { renderChecks }] = await Promise.all([
    import('../probing.ts'),
    import('../render/checks.ts'),
  ]);
  const ask = await askOnce(operands, { timeout: options.timeout, ...probeOptions(options) });
  const results = await Promise.all(operands.map((operand) => ask(operand, io.signal)));
  if (options.json) io.out(json({ results }));
  else if (!options.quiet) renderChecks(results, io);
  if (results.some(({ verdict }) => verdict === 'down')) return exit.no;
  return results.some(({ verdict }) => verdict === 'unknown') ? exit.unknown : exit.done;
}
