// Which systemd unit and which container a process belongs to, from the text of /proc/PID/cgroup (cgroups(7)). Pure.

export interface Membership {
  /**
   * `nginx.service`; `user@1000.service/app.service` for a unit of that user's own manager, since the same name
   * may exist in both.
   */
  unit: string | null;
  container: string | null;
}

export function readMembership(text: string): Membership {
  const paths = text
    .split('\n')
    .map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ controllers: match[1]!, path: match[2]! }));
  // systemd keeps its tree in the v2 hierarchy (no controllers named), or on v1 machines in one of its own.
  const managed =
    paths.find(({ controllers }) => controllers === 'name=systemd') ??
    paths.find(({ controllers }) => controllers === '');
  const container = paths.map(({ path }) => containerOf(path)).find((id) => id !== null) ?? null;
  // Units inside a container are those of its own systemd, and may share a name with one out here.
  return { unit: managed && container === null ? unitOf(managed.path) : null, container };
}

/**
 * The deepest service. A scope below it hides it: a scope groups processes that others started (a login session,
 * a terminal's tab, a container), systemd does not restart them, and stopping the scope would end all of them.
 */
export function unitOf(path: string): string | null {
  const parts = path.split('/').map(unescaped);
  const deepest = parts.findLastIndex((part) => /.\.(service|scope)$/.test(part));
  const name = parts[deepest];
  if (name === undefined || name.endsWith('.scope')) return null;
  const manager = parts.slice(0, deepest).find((part) => /^user@\d+\.service$/.test(part));
  // The user's manager itself would take the whole session along.
  if (/^user@\d+\.service$/.test(name)) return null;
  return manager ? `${manager}/${name}` : name;
}

/** systemd writes an underscore before names that could be taken for the kernel's own files (`_cgroup.service`). */
function unescaped(part: string): string {
  return part.startsWith('_') ? part.slice(1) : part;
}

const hexId = '[0-9a-f]{64}';
/** The part of a path that names a container, by runtime; its monitor processes (conmon, lxc.monitor) are outside. */
const containerParts = [
  // Docker, containerd (`cri-containerd-`, `nerdctl-`), CRI-O and Podman with the systemd driver.
  new RegExp(`^(?:docker|libpod|crio|cri-containerd|nerdctl|containerd)-(${hexId})\\.scope$`),
  // Podman without systemd.
  new RegExp(`^libpod-(${hexId})$`),
  // The cgroupfs driver: `/docker/ID`, `/kubepods/burstable/podUID/ID`, `/actions_job/ID`, `/ecs/TASK/ID`.
  new RegExp(`^(${hexId})$`),
  // LXC 4 and later; older ones say `/lxc/NAME`, below.
  /^lxc\.payload\.(.+)$/,
  // systemd-nspawn and libvirt.
  /^machine-(.+)\.scope$/,
  /^systemd-nspawn@(.+)\.service$/,
];

function containerOf(path: string): string | null {
  const parts = path.split('/');
  for (let i = parts.length - 1; i > 0; i--) {
    const part = parts[i]!;
    if (part !== '' && (parts[i - 1] === 'lxc' || parts[i - 1] === 'lxc.payload')) return part;
    for (const pattern of containerParts) {
      const match = pattern.exec(part);
      if (match) return match[1]!;
    }
  }
  return null;
}
