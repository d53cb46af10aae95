// How the System of Linux gets along where something is taken away: sandboxes, hidden processes, no descriptors left.
import { execFile } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundled } from '../support/bundled.ts';
import { startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';

const run = promisify(execFile);
const idle = `setInterval(() => {}, 1000); console.log('up')`;
let script: string;

beforeAll(async () => {
  script = await bundled(new URL('../fixtures/linux/confined.ts', import.meta.url));
});

/** What the confined process printed. `shell` runs first, in the process that then becomes it. */
async function confined(mode: string, options: { shell?: string; argument?: string } = {}): Promise<unknown> {
  const { shell = ':', argument = '' } = options;
  const args = ['-c', `${shell} && exec "$@"`, 'sh', process.execPath, script, mode, argument];
  const { stdout } = await run('sh', args, { timeout: 30_000 });
  return JSON.parse(stdout);
}

describe.runIf(needs('sandboxes of Linux', 'linux'))('confined', () => {
  it('falls back to /proc/net and to PIDs where a sandbox forbids netlink and pidfd', async () => {
    const child = await startNode(idle);
    expect(await confined('sandbox', { argument: String(child.pid) })).toEqual({
      source: 'procfs',
      found: true,
      refused: 'EPERM',
      signalled: 'sent',
    });
  });

  it('says that no descriptors are left', async () => {
    expect(await confined('no-descriptors', { shell: 'ulimit -n 64' })).toEqual({
      ok: false,
      error: { code: 'EMFILE', syscall: 'socket' },
    });
  });
});

describe.runIf(needs('hidden processes', 'linux', 'root'))('confined by root', () => {
  it('counts processes that /proc does not even list', async () => {
    const shell = 'mount --make-rprivate / && mount -t proc -o hidepid=2 proc /proc';
    const unshared = `exec unshare -m sh -c '${shell} && exec "$@"' sh "$@"; :`;
    const seen = (await confined('hidden', { shell: unshared })) as { unreadable: number; listed: number[] };
    expect(seen.listed).not.toContain(1);
    expect(seen.unreadable).toBeGreaterThan(0);
  });
});

describe.runIf(needs('the way back from a namespace', 'linux', 'root', 'ip'))('lost in a namespace', () => {
  it('stops at once rather than to go on in the wrong network', async () => {
    const name = `reeve-lost-${process.pid}`;
    await run('ip', ['netns', 'add', name]);
    try {
      const child = await startNode(idle, { prefix: ['ip', 'netns', 'exec', name] });
      expect(readlinkSync(`/proc/${child.pid}/ns/net`)).not.toBe(readlinkSync('/proc/self/ns/net'));
      const lost = confined('lost', { shell: 'ulimit -c 0', argument: String(child.pid) });
      await expect(lost).rejects.toMatchObject({
        signal: 'SIGABRT',
        stdout: '',
        stderr: expect.stringContaining('cannot return to its own network namespace (EBADF)'),
      });
    } finally {
      await run('ip', ['netns', 'delete', name]);
    }
  });
});
