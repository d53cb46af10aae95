// Units and containers from cgroup texts as machines of several kinds show them.
import { describe, expect, it } from 'vitest';
import { readMembership } from './cgroup.ts';

const id = 'c8b1f5a0e2d34f6789ab0123456789abcdef0123456789abcdef0123456789ab';
const nothing = { unit: null, container: null };
const v2 = (path: string) => `0::${path}\n`;

describe('units', () => {
  it.each([
    ['a system service', '/system.slice/nginx.service', 'nginx.service'],
    ['an instance', '/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service'],
    ['a group that the service made below itself', '/system.slice/app.service/payload/1', 'app.service'],
    [
      'a service of a user',
      '/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service',
      'user@1000.service/syncthing.service',
    ],
    ['an escaped name', '/system.slice/_cgroup.service', 'cgroup.service'],
  ])('knows %s', (_, path, unit) => {
    expect(readMembership(v2(path))).toEqual({ unit, container: null });
  });

  it.each([
    ['a login session', '/user.slice/user-1000.slice/session-3.scope'],
    [
      "a terminal's tab",
      '/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-5.scope',
    ],
    ["the user's manager itself", '/user.slice/user-1000.slice/user@1000.service/init.scope'],
    ["the user's manager without a scope", '/user.slice/user-1000.slice/user@1000.service'],
    ['PID 1', '/init.scope'],
    ['the root group', '/'],
    ['a group outside the own namespace', '/../../other'],
    ['a name that only ends like one', '/.service'],
  ])('names no unit for %s, which nothing would restart', (_, path) => {
    expect(readMembership(v2(path))).toEqual(nothing);
  });

  it("uses systemd's own tree on v1 machines", () => {
    const text = '12:pids:/system.slice/wrong.service\n1:name=systemd:/system.slice/cron.service\n0::/\n';
    expect(readMembership(text).unit).toBe('cron.service');
  });
});

describe('containers', () => {
  it.each([
    ['Docker, systemd driver', v2(`/system.slice/docker-${id}.scope`)],
    ['Docker, cgroupfs driver', v2(`/docker/${id}`)],
    ['Docker on cgroup v1', `11:memory:/docker/${id}\n1:name=systemd:/docker/${id}\n`],
    [
      'Docker in rootless mode',
      v2(`/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${id}.scope`),
    ],
    ['Podman', v2(`/machine.slice/libpod-${id}.scope/container`)],
    ['Podman without systemd', v2(`/libpod_parent/libpod-${id}`)],
    [
      'Kubernetes on containerd',
      v2(
        `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-${id}.scope`,
      ),
    ],
    ['Kubernetes on CRI-O', v2(`/kubepods.slice/kubepods-pod1_2.slice/crio-${id}.scope`)],
    ['Kubernetes on cgroup v1', `4:cpu,cpuacct:/kubepods/besteffort/pod2f-1a/${id}\n`],
    ['nerdctl', v2(`/system.slice/nerdctl-${id}.scope`)],
    ['a unit inside a container', v2(`/docker/${id}/system.slice/app.service`)],
  ])('knows %s', (_, text) => {
    expect(readMembership(text)).toEqual({ unit: null, container: id });
  });

  it.each([
    ['LXC 4', v2('/lxc.payload.web1/system.slice/nginx.service'), 'web1'],
    ['older LXC', '3:memory:/lxc/web1\n', 'web1'],
    ['systemd-nspawn', v2('/machine.slice/machine-web1.scope/payload'), 'web1'],
    [
      'its service',
      v2('/machine.slice/systemd-nspawn@web1.service/payload/system.slice/ssh.service'),
      'web1',
    ],
  ])('knows %s by its name', (_, text, name) => {
    expect(readMembership(text)).toEqual({ unit: null, container: name });
  });

  it.each([
    ["Podman's monitor", v2(`/machine.slice/libpod-conmon-${id}.scope`)],
    ["CRI-O's monitor", v2(`/kubepods.slice/crio-conmon-${id}.scope`)],
    ["LXC's monitor", v2('/lxc.monitor.web1')],
    ['the daemon', v2('/system.slice/docker.service')],
    ['an id that is too short', v2('/docker/abc')],
    ['nothing', ''],
    ['garbage', 'hello\n::::\n0::relative\n'],
  ])('takes %s for none', (_, text) => {
    expect(readMembership(text).container).toBeNull();
  });
});
