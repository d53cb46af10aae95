// reeve scan: which ports of a host accept connections.
import { exit, ReeveError, worstExit } from '../../core/errors.ts';
import { parseDuration } from '../../core/quantity.ts';
import { inRanges, mergeRanges, type PortRange, parseRanges, portsOf } from '../../core/range.ts';
import type { ScanRecord } from '../../core/records.ts';
import { action, type Common, command, type Define, json, option, wholeNumber } from '../define.ts';
import type { Io } from '../io.ts';

interface Options extends Common {
  ports?: PortRange[];
  exclude?: PortRange[];
  method: string;
  timeout: number;
  concurrency: number;
}

export const scanCommand: Define = (io) =>
  command(
    'scan',
    'find the TCP ports of a host that accept connections',
    `
reeve scan localhost
reeve scan 127.0.0.1 ::1 -p 1-65535
reeve scan db.internal -p 22,5432,8000-8100 --exclude 8080`,
  )
    .argument('<host...>', 'names or addresses')
    .option('-p, --ports <ranges>', 'ports, such as 22,80,8000-8100', option(parseRanges), [
      { first: 1, last: 1024 },
    ])
    .option('--exclude <ranges>', 'ports to leave out', option(parseRanges))
    .option('--method <method>', 'connect (syn and udp are not supported yet)', 'connect')
    .option(
      '--timeout <duration>',
      'a port without an answer by then is filtered',
      option(parseDuration),
      1000,
    )
    .option('--concurrency <count>', 'connections under way at once', wholeNumber(1, 10_000), 512)
    .action(action<Options>(io, (operands, options) => run(io, operands, options)));

async function run(io: Io, hosts: string[], options: Options): Promise<number> {
  if (options.method !== 'connect') {
    throw new ReeveError('unsupported', `not supported yet: scanning by '${options.method}'`, {
      hint: 'Use --method connect',
    });
  }
  const ports = without(options.ports!, options.exclude ?? []);
  if (ports.length === 0) throw new ReeveError('usage', 'no port is left to scan: --exclude names them all');
  const [{ selectSystem }, { scan }, { renderScan }, { openProgress }] = await Promise.all([
    import('../../system/select.ts'),
    import('../../ports/index.ts'),
    import('../render/scan.ts'),
    import('../render/progress.ts'),
  ]);
  const system = await selectSystem();
  const records: ScanRecord[] = [];
  for (const host of hosts) {
    const progress = await openProgress(io, `Scanning ${host}`, options);
    const record = await scan(
      system,
      host,
      { ports, timeoutMs: options.timeout, concurrency: options.concurrency, onProgress: progress.update },
      io.signal,
    );
    progress.close();
    records.push(record);
    if (!options.json) await renderScan(record, options.quiet ?? false, io);
  }
  if (options.json)
    io.out(records.length === 1 ? json(records[0]) : records.map((each) => JSON.stringify(each)).join('\n'));
  return worstExit(records.map(({ open }) => (open.length > 0 ? exit.done : exit.no)));
}

function without(ranges: PortRange[], excluded: PortRange[]): PortRange[] {
  if (excluded.length === 0) return ranges;
  const left = [...portsOf(ranges)].filter((port) => !inRanges(excluded, port));
  return mergeRanges(left.map((port) => ({ first: port, last: port })));
}
