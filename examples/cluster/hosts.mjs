// Hosts made of network namespaces: each with an address on one bridge, a name of its own, and everything gone at the end.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export async function createHosts() {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-cluster-'));
  const prefix = `reeve-cluster-${process.pid}`;
  const made = [];

  async function host(name, address) {
    const namespace = `${prefix}-${name}`;
    await run('ip', ['netns', 'add', namespace]);
    made.push(namespace);
    const own = path.join(folder, name);
    mkdirSync(own);
    const ip = (...words) => run('ip', ['-n', namespace, ...words]);
    await ip('link', 'set', 'lo', 'up');
    const inside = [
      'netns',
      'exec',
      namespace,
      'unshare',
      '--uts',
      'sh',
      '-c',
      'hostname "$0"; exec "$@"',
      name,
    ];
    const env = {
      ...process.env,
      HOST_FOLDER: own,
      HOST_ADDRESS: address,
      REEVE_LEASES: path.join(own, 'leases'),
    };
    return {
      ...{ name, address, folder: own, ip, namespace },
      /** Runs to its end; resolves with what it printed. */
      run: async (...words) => (await run('ip', [...inside, ...words], { env, timeout: 20_000 })).stdout,
      /** In the background; its PID is that of the command. */
      start(...words) {
        const child = spawn('ip', [...inside, ...words], {
          ...{ env, cwd: import.meta.dirname, stdio: ['pipe', 'pipe', 'pipe'] },
          // Ctrl-C is for the script alone: it ends the others itself.
          detached: true,
        });
        child.said = '';
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (text) => {
            child.said = (child.said + text).slice(-8000);
          });
        child.on('error', () => {});
        child.stdin.on('error', () => {});
        return child;
      },
    };
  }

  /** The switch that joins them is in the namespace of the first. */
  async function join(hub, others) {
    await hub.ip('link', 'add', 'br0', 'type', 'bridge');
    await hub.ip('address', 'add', `${hub.address}/24`, 'dev', 'br0');
    await hub.ip('link', 'set', 'br0', 'up');
    for (const { name, address, namespace, ip } of others) {
      await hub.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
      await hub.ip('link', 'set', name, 'master', 'br0', 'up');
      await ip('address', 'add', `${address}/24`, 'dev', 'eth0');
      await ip('link', 'set', 'eth0', 'up');
    }
  }

  /** Whatever runs in the namespaces was started by this script: it is ended, gently first. */
  async function remove() {
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      for (const pid of await pidsIn(made)) end(pid, signal);
      const deadline = Date.now() + 8000;
      while (Date.now() < deadline && (await pidsIn(made)).length > 0) await pause(50);
    }
    for (const namespace of made.splice(0)) await run('ip', ['netns', 'delete', namespace]).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }

  return { host, join, remove };
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function pidsIn(namespaces) {
  const lists = await Promise.all(
    namespaces.map((name) =>
      run('ip', ['netns', 'pids', name]).then(
        ({ stdout }) => stdout,
        () => '',
      ),
    ),
  );
  return lists
    .join('\n')
    .split('\n')
    .filter((pid) => /^\d+$/.test(pid))
    .map(Number)
    .filter((pid) => pid > 1);
}

function end(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
