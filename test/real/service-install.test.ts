// reeve service install on Linux: below a root of its own, and on a machine whose systemctl only writes down what it is asked.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/children.ts';
import { notifySocket } from '../support/notify-socket.ts';
import { needs } from '../support/parts.ts';
import { nobody, publicCopy, reeve } from '../support/reeve.ts';
import { systemdEnvironment } from '../support/systemd.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'reeve-root-'));
  mkdirSync(path.join(root, 'etc/portreeve'), { recursive: true });
  writeFileSync(path.join(root, 'etc/portreeve/reeve.yaml'), 'control: { listen: "127.0.0.1:0" }\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (file: string) => path.join(root, file);
const unit = () => readFileSync(at('etc/systemd/system/portreeve.service'), 'utf8');

describe.runIf(needs('installing below a root', 'linux'))('below a root', () => {
  it('writes the unit, starts it with the machine, takes no step twice, and removes it all', async () => {
    const install = ['service', 'install', '--root', root, '--profile', 'inspect'];
    const planned = await reeve([...install, '--dry-run']);
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toContain('· write ');
    expect(existsSync(at('etc/systemd'))).toBe(false);

    expect((await reeve(install)).code).toBe(0);
    expect(unit()).toContain('DynamicUser=yes');
    expect(readlinkSync(at('etc/systemd/system/multi-user.target.wants/portreeve.service'))).toBe(
      '../portreeve.service',
    );
    const again = await reeve(install);
    expect(again.stdout.split('\n').filter((line) => line.startsWith('='))).toHaveLength(2);
    expect(JSON.parse((await reeve(['--json', 'service', 'status', '--root', root])).stdout)).toMatchObject({
      installed: true,
      running: false,
    });

    expect((await reeve(['service', 'uninstall', '--root', root])).code).toBe(0);
    expect(existsSync(at('etc/systemd/system/portreeve.service'))).toBe(false);
    expect(existsSync(at('etc/portreeve/reeve.yaml'))).toBe(true);
    expect((await reeve(['service', 'uninstall', '--root', root])).code).toBe(0);
  }, 60_000);

  it('undoes what it did when a step fails', async () => {
    // A file where the folder of links should be.
    mkdirSync(at('etc/systemd/system'), { recursive: true });
    writeFileSync(at('etc/systemd/system/multi-user.target.wants'), '');
    const { code, stdout } = await reeve(['service', 'install', '--root', root, '--profile', 'inspect']);
    expect(code).not.toBe(0);
    expect(stdout).toContain('↩ undone: write');
    expect(existsSync(at('etc/systemd/system/portreeve.service'))).toBe(false);
  });

  it('refuses a configuration that the daemon could not start with', async () => {
    writeFileSync(at('etc/portreeve/reeve.yaml'), 'nonsense: 1\n');
    const { code, stderr } = await reeve(['service', 'install', '--root', root]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('nonsense') });
    expect(existsSync(at('etc/systemd'))).toBe(false);
  });

  it('writes a unit whose ExecStart, ExecReload and end are as systemd wants them', async () => {
    const address = at('notify');
    using socket = notifySocket(address);
    const file = at('etc/portreeve/reeve.yaml');
    await reeve(['service', 'install', '--root', root, '-c', file, '--profile', 'inspect']);
    const line = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit())![1]!.split(' ');
    const env = { ...process.env, NOTIFY_SOCKET: address, REEVE_STATE: at('state') };
    const [program, ...args] = line('ExecStart');
    const daemon = spawn(program!, args, { env, stdio: 'ignore' });
    onTestFinished(() => void daemon.kill('SIGKILL'));
    const exited = once(daemon, 'exit');
    const heard = (name: string) => socket.messages().filter((message) => name in message).length;
    await eventually(() => heard('READY') === 1, 30_000);
    const [reload, ...words] = line('ExecReload');
    execFileSync(reload!, words, { env });
    expect(heard('RELOADING')).toBe(1);
    writeFileSync(file, 'nonsense: 1\n');
    expect(() => execFileSync(reload!, words, { env, stdio: 'ignore' })).toThrow();
    daemon.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    expect(heard('STOPPING')).toBe(1);
  }, 60_000);
});

describe.runIf(needs('installing on a machine', 'linux', 'root'))('on a machine', () => {
  it('asks systemctl in order, and enables it for a user alone', async () => {
    const bin = at('bin');
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'systemctl'), `#!/bin/sh\necho "$*" >> ${at('asked')}\n`);
    chmodSync(path.join(bin, 'systemctl'), 0o755);
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, XDG_CONFIG_HOME: at('home') };
    const file = at('etc/portreeve/reeve.yaml');
    expect((await reeve(['service', 'install', '--user', '-c', file, '--now'], { env })).code).toBe(0);
    expect(readFileSync(at('home/systemd/user/portreeve.service'), 'utf8')).toContain(
      'WantedBy=default.target',
    );
    expect((await reeve(['service', 'restart', '--user'], { env })).code).toBe(0);
    expect((await reeve(['service', 'uninstall', '--user'], { env })).code).toBe(0);
    expect(readFileSync(at('asked'), 'utf8').split('\n')).toEqual([
      '--user daemon-reload',
      '--user enable portreeve.service',
      '--user start portreeve.service',
      '--user show portreeve.service --property=ActiveState,MainPID',
      '--user stop portreeve.service',
      '--user start portreeve.service',
      '--user disable --now portreeve.service',
      '--user daemon-reload',
      '',
    ]);
  }, 60_000);

  it('tells a user without privilege what to copy', async () => {
    using copy = publicCopy();
    chmodSync(root, 0o755);
    const file = at('etc/portreeve/reeve.yaml');
    const args = ['service', 'install', '--root', root, '-c', file, '--profile', 'inspect'];
    const { code, stderr } = await reeve(args, { ...nobody, file: copy.file });
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`sudo ${process.execPath} ${copy.file} service install`),
    });
  });

  it.runIf(needs('the account', 'systemd-sysusers'))('makes the account that services run as', async () => {
    writeFileSync(at('etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
    writeFileSync(at('etc/group'), 'root:x:0:\n');
    const env = { ...process.env, ...systemdEnvironment('systemd-sysusers') };
    const { code, stderr } = await reeve(['service', 'install', '--root', root], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(at('etc/passwd'), 'utf8')).toMatch(
      /^portreeve:[^:]*:\d+:\d+:Portreeve:\/var\/lib\/portreeve:.*nologin$/m,
    );
    expect((await reeve(['service', 'install', '--root', root])).stdout).toContain(
      '= make the account portreeve',
    );
  });
});
