// reeve run: which signals reach the command, with a terminal and without.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../support/parts.ts';
import { reeveFile } from '../support/reeve.ts';
import { node, server, startRun, temporaryFolder, untilGone, untilReady, watched } from './run-support.ts';

describe.runIf(needs('signals of reeve run', 'linux'))('signals of reeve run', () => {
  it('passes SIGTERM on, and follows it by SIGKILL where that is not enough', async () => {
    const willing = startRun(['--', node, server, '{port}', 'clean']);
    await untilReady(willing);
    willing.child.kill('SIGTERM');
    expect(await willing.ended).toEqual({ code: 0, signal: null });
    const deaf = startRun(['--stop-timeout', '200ms', '--', node, server, '{port}', 'deaf']);
    const { pid } = await untilReady(deaf);
    deaf.child.kill('SIGTERM');
    expect(await deaf.ended).toEqual({ code: 137, signal: null });
    await untilGone([pid]);
  });

  it('a second SIGTERM does not wait for the stop timeout', async () => {
    const run = startRun(['--stop-timeout', '1h', '--', node, server, '{port}', 'deaf']);
    await untilReady(run);
    run.child.kill('SIGTERM');
    await run.until(/^asked to stop$/m);
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: 137, signal: null });
  });

  it('passes SIGINT on where no terminal does', async () => {
    // Of its own session, so that it has no terminal even where the tests have one.
    const run = startRun(['--', node, server, '{port}', 'interrupt'], { detached: true });
    await untilReady(run);
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 5, signal: null });
  });

  it.each(['SIGCONT', 'SIGWINCH'] as const)('passes %s on where no terminal does', async (signal) => {
    const script = `process.on('${signal}', () => console.log('heard it')); setInterval(() => {}, 1000); console.log('up')`;
    const run = startRun(['--', node, '-e', script], { detached: true });
    await run.until(/^up$/m);
    run.child.kill(signal);
    await run.until(/^heard it$/m);
  });

  it.runIf(needs('a job in the background of a terminal', 'script'))(
    'passes SIGINT on as a job in the background of a terminal',
    async () => {
      const folder = temporaryFolder();
      const script = `process.on('SIGINT', () => process.exit(5)); setInterval(() => {}, 1000); console.log('up')`;
      const job = path.join(folder, 'job.sh');
      // Job control (-m) gives it a group of its own, which the terminal's keys do not reach.
      writeFileSync(
        job,
        `set -m\n'${node}' '${reeveFile}' run -- '${node}' -e "${script}" > '${folder}/out' 2>&1 & run=$!
until grep -q up '${folder}/out'; do sleep 0.05; done
kill -INT $run; wait $run; echo "ended by $?"\n`,
      );
      const env = { ...process.env, REEVE_LEASES: temporaryFolder(), SHELL: '/bin/sh' };
      const shell = watched(
        spawn('script', ['-qec', `exec bash '${job}'`, '/dev/null'], {
          env,
          stdio: ['pipe', 'pipe', 'pipe'],
        }),
      );
      await shell.until(/ended by 5/);
      await shell.ended;
    },
  );

  it.each(['SIGINT', 'SIGHUP'] as const)('does not start again what %s ended', async (signal) => {
    const script = `setInterval(() => {}, 1000); console.log('up')`;
    const run = startRun(['--restart', '--', node, '-e', script], { detached: true });
    await run.until(/^up$/m);
    run.child.kill(signal);
    expect(await run.ended).toEqual({ code: null, signal });
    expect(run.text()).not.toContain('starts again');
  });

  it.each(['SIGINT', 'SIGHUP', 'SIGTERM'] as const)(
    'is ended by %s before the next start',
    async (signal) => {
      const run = startRun(['--restart', '--', 'sh', '-c', 'exit 3']);
      await run.until(/starts again in [1-9][\d.]*s/);
      run.child.kill(signal);
      expect(await run.ended).toEqual({ code: null, signal });
    },
  );

  it.each(['SIGINT', 'SIGTERM'] as const)('is ended by %s while it waits for a URL', async (signal) => {
    const run = startRun(['--wait-for', 'tcp://127.0.0.1:1', '--', 'echo', 'it ran']);
    await run.until(/waits for/);
    run.child.kill(signal);
    expect(await run.ended).toEqual({ code: null, signal });
  });
});
