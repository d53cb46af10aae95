// reeve free: shows the plan, asks, carries it out, proves it.
import { exit, ReeveError, worstExit } from '../../core/errors.ts';
import { parseDuration } from '../../core/quantity.ts';
import type { FreeResult } from '../../core/records.ts';
import { printable } from '../../core/text.ts';
import type { PreparedFree } from '../../ports/index.ts';
import { action, type Common, command, type Define, json, setting } from '../define.ts';
import type { Io } from '../io.ts';
import { inLanguage } from '../lang/choose.ts';

interface Options extends Common {
  dryRun?: boolean;
  yes?: boolean;
  force?: boolean;
  timeout: number;
}

export const freeCommand: Define = (io) =>
  command(
    'free',
    'stop whoever listens on a port (unit, container or process tree), and prove that it is free',
    `
reeve free 3000              show the plan, ask, do it
reeve free 3000 --dry-run    only show the plan
reeve free 3000-3010 --yes   a range, without asking
reeve free udp:5353`,
  )
    .argument('<port...>', '3000, 3000-3010, udp:53, 127.0.0.1:8080')
    .option('-n, --dry-run', 'show the plan and touch nothing')
    .option('-y, --yes', 'do not ask')
    .option(
      '-f, --force',
      'signal the process even where its unit or container would be stopped, or if it does not listen',
    )
    .addOption(setting('--timeout <duration>', 'after SIGTERM, before SIGKILL', parseDuration, '5s'))
    .action(action<Options>(io, (operands, options) => run(io, operands, options)));

async function run(io: Io, operands: string[], options: Options): Promise<number> {
  const [{ selectSystem }, { carryOut, parsePortTarget, planned, prepareFree }] = await Promise.all([
    import('../../system/select.ts'),
    import('../../ports/index.ts'),
  ]);
  const targets = operands.map(parsePortTarget);
  const system = await selectSystem();
  const [{ renderFreed, renderPlan }, { openSpinner }] = await Promise.all([
    import('../render/free.ts'),
    import('../render/progress.ts'),
  ]);
  const free = { force: options.force ?? false, timeoutMs: options.timeout };
  const prepared = await prepareFree(system, targets, free);
  const willAct = prepared.some(({ plan }) => plan.kind === 'stop') && !options.dryRun;
  if (willAct) {
    if (!options.json) for (const one of prepared) renderPlan(one, io);
    await confirm(io, prepared, options);
  }
  const results: FreeResult[] = [];
  for (const one of prepared) {
    const spinner = await openSpinner(io, options, io.say(`freeing ${one.endpoint}`));
    const result = options.dryRun
      ? planned(one)
      : await carryOut(system, one, free, io.signal).finally(spinner.close);
    spinner.close();
    results.push(result);
    if (!options.json) renderFreed(result, io);
  }
  if (options.json) io.out(json(inLanguage({ results }, io, true)));
  const code = worstExit(results.map((result, i) => exitCode(result, prepared[i]!)));
  if (code === exit.privilege && !options.json && !options.quiet) {
    const again = system.platform === 'win32' ? 'reeve --elevate free' : 'sudo reeve free';
    io.err(`  ${io.colors.dim('→')} ${again} ${operands.map(printable).join(' ')}`);
  }
  return code;
}

/** Without a terminal nothing is asked: the flag must say it. */
async function confirm(io: Io, prepared: PreparedFree[], options: Options): Promise<void> {
  if (options.yes) return;
  if (!io.interactive || options.json) {
    throw new ReeveError('usage', 'free does not stop anything unasked, and there is no terminal to ask on', {
      hint: 'Add --yes to go ahead, or --dry-run to see the plan',
    });
  }
  const { confirm: ask, isCancel } = await import('@clack/prompts');
  const count = prepared.filter(({ plan }) => plan.kind === 'stop').length;
  const answer = await ask({
    message: io.say(count === 1 ? 'Do this?' : `Do this for ${count} ports?`),
    initialValue: true,
  });
  if (isCancel(answer) || !answer) throw new ReeveError('aborted', 'nothing was touched');
}

function exitCode(result: FreeResult, { plan }: PreparedFree): number {
  if (result.outcome === 'refused')
    return plan.kind === 'refuse' && plan.why === 'hidden' ? exit.privilege : exit.no;
  return result.outcome === 'failed' ? exit.no : exit.done;
}
