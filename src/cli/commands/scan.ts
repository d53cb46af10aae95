// reeve scan: which ports of which hosts answer.
import { Option } from 'commander';
import { exit, ReeveError, worstExit } from '../../core/errors.ts';
import { parseDuration, parseRate, type Rate } from '../../core/quantity.ts';
import type { ScanRecord } from '../../core/records.ts';
import { printable } from '../../core/text.ts';
import { action, type Common, command, type Define, json, option, setting, wholeNumber } from '../define.ts';
import type { Io } from '../io.ts';

const methods = ['connect', 'syn', 'udp'] as const;

interface Options extends Common {
  ports?: string;
  top?: 100 | 1000;
  exclude?: string;
  method: (typeof methods)[number];
  timeout: number;
  retries: number;
  concurrency?: number;
  rate?: Rate;
  banner?: boolean;
}

export const scanCommand: Define = (io) =>
  command(
    'scan',
    'find the ports of hosts that answer; only scan hosts that you may',
    `
reeve scan localhost
reeve scan 127.0.0.1 ::1 -p 1-65535
reeve scan db.internal -p ssh,5432,8000-8100 --exclude 8080 --banner
reeve scan 10.0.0.0/24 --top 100 --rate 200/s --json
sudo reeve scan 10.0.0.5 --method syn --top 1000
reeve scan 10.0.0.5 --method udp -p dns,ntp,snmp`,
  )
    .argument('<host...>', 'names, addresses or blocks such as 10.0.0.0/24')
    .option('-p, --ports <ports>', 'ports and services, such as ssh,80,8000-8100; 1-1024 by default')
    .option('--top <count>', 'the 100 or 1000 TCP ports that servers are met on most often', option(parseTop))
    .option('--exclude <ports>', 'ports to leave out')
    .addOption(
      new Option('--method <method>', 'syn is for root only').choices(methods).default('connect' as const),
    )
    .option(
      '--rate <rate>',
      'probes sent, such as 200/s; 500/s by default (udp 50/s), no limit on this machine',
      option(parseRate),
    )
    .addOption(setting('--timeout <duration>', 'the longest that one probe waits', parseTimeout, '1s'))
    .option('--retries <count>', 'how often a silent port is asked again', wholeNumber(0, 10), 1)
    .option('--concurrency <count>', 'probes under way at once', wholeNumber(1, 10_000))
    .option('--banner', 'show what open TCP ports say')
    .action(action<Options>(io, (operands, options) => run(io, operands, options)));

function parseTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms >= 10) return ms;
  throw new ReeveError('usage', `a timeout of ${text} is too short: 10ms at least`);
}

function parseTop(text: string): 100 | 1000 {
  if (text === '100' || text === '1000') return Number(text) as 100 | 1000;
  throw new ReeveError('usage', `'${text}' is not a list of frequent ports: 100 or 1000`);
}

async function run(io: Io, operands: string[], options: Options): Promise<number> {
  const [{ selectSystem }, { expandHosts, scanMany, selectPorts }, { renderScan, renderScanTotal }, bar] =
    await Promise.all([
      import('../../system/select.ts'),
      import('../../ports/index.ts'),
      import('../render/scan.ts'),
      import('../render/progress.ts'),
    ]);
  const { method, ports, top, exclude, timeout, retries, concurrency, rate, banner } = options;
  const selected = selectPorts({ ...opt({ ports, top, exclude }) }, method);
  const hosts = expandHosts(operands);
  const several = hosts.length > 1;
  const title = several ? `Scanning ${hosts.length} hosts` : `Scanning ${hosts[0]}`;
  const progress = await bar.openProgress(io, title, options);
  const records: ScanRecord[] = [];
  const failures: ReeveError[] = [];
  /** Tables wait for each other, and for the bar to go where there is one. */
  const tables: ScanRecord[] = [];
  let shown = Promise.resolve();
  const showTables = () => {
    shown = shown.then(async () => {
      for (const record of tables.splice(0)) {
        await renderScan(record, { quiet: options.quiet ?? false, several }, io);
        if (several && !options.quiet) io.out('');
      }
    });
    return shown;
  };
  try {
    await scanMany(
      await selectSystem(),
      hosts,
      {
        ...opt({ concurrency, rate, banner }),
        ports: selected,
        method,
        timeoutMs: timeout,
        retries,
        onProgress: progress.update,
        onHost: (record) => {
          records.push(record);
          if (options.json) io.out(several ? JSON.stringify(record) : json(record));
          else if (!several || record.open.length > 0) tables.push(record);
          if (!progress.visible) void showTables();
        },
        onFailure: (_, error) => failures.push(error),
      },
      io.signal,
    );
  } finally {
    progress.close();
  }
  await showTables();
  if (!several && failures[0]) throw failures[0];
  for (const { message } of failures) io.err(`${io.colors.red('reeve:')} ${printable(message)}`);
  if (several && !options.json && !options.quiet) renderScanTotal(records, failures.length, io);
  if (io.signal.aborted) {
    io.err('reeve: cancelled: ports that had not answered by then are left out');
    return interrupted;
  }
  const codes = records.map(({ open }) => (open.length > 0 ? exit.done : exit.no));
  return worstExit([...codes, ...failures.map(({ exitCode }) => exitCode)]);
}

/** 128 + SIGINT, as shells have it. */
const interrupted = 130;

/** Only what is set, as options that may be absent want it. */
function opt<T extends object>(values: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
