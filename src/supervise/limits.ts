// What a program may use: set by a shell that then becomes the program, and tried before.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ServiceConfig } from '../config/index.ts';
import { errorMessage, ReeveError } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import type { Launch } from './launch.ts';

const run = promisify(execFile);

/** Milliseconds. */
const answerWithin = 10_000;

/**
 * A shell sets the limits for itself and then becomes the program: nothing of the program runs without them, which a
 * prlimit(2) from outside could not promise.
 * @throws ReeveError `privilege` where the limits cannot be had: the program would end before it begins, and only its
 * output would say why.
 */
export async function withLimits(launch: Launch, limits: ServiceConfig['limits']): Promise<Launch> {
  const steps = stepsTo(limits);
  if (steps.length === 0) return launch;
  const shell = (program: string, args: string[]): Launch => ({
    ...launch,
    program: '/bin/sh',
    args: ['-c', [...steps.slice(0, -1), `${steps.at(-1)} "$0" "$@"`].join(' && '), program, ...args],
  });
  await attempt(shell('/bin/sh', ['-c', ':']), limits);
  return shell(launch.program, launch.args);
}

/** In the words of a shell; the last one starts the program. */
function stepsTo({ files, memory, nice }: ServiceConfig['limits']): string[] {
  const steps = [
    ...(files === undefined ? [] : [`ulimit -n ${files}`]),
    ...(memory === undefined ? [] : [`ulimit -d ${Math.ceil(memory / 1024)}`]),
  ];
  const start = nice === undefined ? 'exec' : `exec nice -n ${nice}`;
  return steps.length === 0 && nice === undefined ? [] : [...steps, start];
}

async function attempt(
  { program, args, uid, gid, env }: Launch,
  limits: ServiceConfig['limits'],
): Promise<void> {
  const who = { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
  const words = await run(program, args, { timeout: answerWithin, cwd: '/', env, ...who }).then(
    // nice(1) starts the program all the same where it may not have the priority.
    ({ stderr }) => stderr,
    (error) => String((error as { stderr?: string }).stderr || errorMessage(error)),
  );
  if (words === '') return;
  const wanted = Object.entries(limits).flatMap(([name, value]) =>
    value === undefined ? [] : `${name} ${value}`,
  );
  const by = uid === undefined ? '' : ` as user ${uid}`;
  throw new ReeveError(
    'privilege',
    `cannot set limits (${wanted.join(', ')})${by}: ${printable(words.trim().split('\n')[0]!)}`,
    { hint: 'Only root may go beyond the hard limit or below nice 0: ulimit -Hn, LimitNOFILE= in the unit' },
  );
}
