// reeve doctor: what on this machine decides how ports behave.
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage, exit } from '../../core/errors.ts';
import { action, type Common, command, type Define, json } from '../define.ts';
import type { Io } from '../io.ts';
import { inLanguage } from '../lang/choose.ts';
import { version } from '../version.ts';

interface DoctorOptions extends Common {
  config?: string;
}

export const doctorCommand: Define = (io) =>
  command(
    'doctor',
    'look at versions, privileges, limits and ranges that matter to ports, with remedies',
    `
reeve doctor
reeve doctor --json`,
  )
    .option('-c, --config <file>', 'configuration whose registry is tried; ./reeve.yaml by default')
    .action(action<DoctorOptions>(io, (_, options) => run(io, options)));

async function run(io: Io, options: DoctorOptions): Promise<number> {
  const [
    { selectSystem },
    { askFirewall, diagnose },
    { defaultStateFolder, reachRegistry },
    { renderFindings },
  ] = await Promise.all([
    import('../../system/select.ts'),
    import('../../ports/index.ts'),
    import('../../daemon/index.ts'),
    import('../render/doctor.ts'),
  ]);
  if (options.config !== undefined) {
    const { loadConfig } = await import('../../config/index.ts');
    await loadConfig(options.config, io.env);
  }
  const system = await selectSystem();
  const table = await system.sockets
    .table({ listening: true })
    .catch((error: unknown) => errorMessage(error));
  const folder = defaultStateFolder(io.env);
  const judged = diagnose({
    node: process.versions.node,
    version,
    platform: `${system.platform} ${process.arch}`,
    host: await system.host.facts(),
    table: typeof table === 'string' ? null : table,
    tableError: typeof table === 'string' ? table : null,
    pool: { first: 20_000, last: 32_000 },
    containment: system.containment.abilities,
    state: { folder, error: await whyNotWritable(folder) },
    firewall: typeof table === 'string' ? null : await askFirewall(system, table),
    registry: await reachRegistry(options.config ?? 'reeve.yaml', io.env),
  });
  const findings = inLanguage(judged, io, options.json);
  if (options.json) io.out(json({ findings }));
  else await renderFindings(findings, options.quiet ?? false, io);
  return findings.some(({ verdict }) => verdict === 'fail') ? exit.no : exit.done;
}

/** The folder itself, or the nearest one above it that is there: that is where it would be made. */
async function whyNotWritable(folder: string): Promise<string | null> {
  try {
    if (!(await stat(folder)).isDirectory()) return 'is not a directory';
    await access(folder, constants.W_OK);
    return null;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT' && path.dirname(folder) !== folder;
    return missing ? whyNotWritable(path.dirname(folder)) : errorMessage(error);
  }
}
