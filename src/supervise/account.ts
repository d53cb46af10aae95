// Starting a program as another user: who that is, and what its environment says of it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ServiceConfig } from '../config/index.ts';
import { ReeveError } from '../core/errors.ts';
import type { Launch } from './launch.ts';

const run = promisify(execFile);

/** Milliseconds; a directory server that knows the user may be slow. */
const answerWithin = 10_000;

/**
 * The same launch as this user and its main group; libuv drops every further group when it changes the user.
 * @throws ReeveError `privilege` unless reeve is root, `config` for an unknown user, `unsupported` on Windows.
 */
export async function asUser(launch: Launch, user: ServiceConfig['user']): Promise<Launch> {
  if (user === undefined) return launch;
  const mine = process.getuid?.();
  if (mine === undefined) {
    throw new ReeveError('unsupported', `cannot run as user '${user}': Windows has no such change of user`);
  }
  if (mine !== 0) {
    throw new ReeveError(
      'privilege',
      `cannot run as user '${user}': only root may, and reeve runs as uid ${mine}`,
      {
        hint: 'Start reeve as root, or leave out user: and start reeve as that user',
      },
    );
  }
  const name = await ask('id', ['-un', '--', String(user)], user);
  const uid = Number(await ask('id', ['-u', '--', name], user));
  const gid = Number(await ask('id', ['-g', '--', name], user));
  // The shell knows where every user is at home (POSIX 2.6.1); `name` holds nothing that it would take otherwise.
  const home = /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)
    ? await ask('/bin/sh', ['-c', `echo ~${name}`], user)
    : '/';
  return { ...launch, uid, gid, env: { ...launch.env, USER: name, LOGNAME: name, HOME: home } };
}

async function ask(program: string, args: string[], user: string | number): Promise<string> {
  try {
    const { stdout } = await run(program, args, { timeout: answerWithin });
    return stdout.trim();
  } catch (cause) {
    throw new ReeveError('config', `there is no user '${user}' on this machine`, { cause });
  }
}
