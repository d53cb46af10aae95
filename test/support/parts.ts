// What a test needs from the machine. A part that is missing fails under REEVE_REQUIRE_ALL=1 and is listed otherwise.
import { appendFileSync, existsSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { createGroups } from '../../src/system/linux/groups.ts';

export type Part =
  | 'root'
  | 'perl'
  | 'linux'
  | 'bpf'
  | 'promtool'
  | 'prometheus'
  | 'lsof'
  | 'ss'
  | 'ip'
  | 'nc'
  | 'nats-server'
  | 'chromium'
  | 'openssl'
  | 'haproxy'
  | 'dnsmasq'
  | 'curl'
  | 'bash'
  | 'zsh'
  | 'fish'
  | 'script'
  | 'consul'
  | 'ipv6'
  | 'cgroup2'
  | 'wine'
  | 'systemd-analyze'
  | 'systemd-sysusers';

const whyMissing = JSON.parse(process.env.REEVE_PARTS_MISSING ?? '{}') as Record<string, string>;

/** The file a program is in, on the PATH that npm test sets; null where it is missing. */
export function program(name: string): string | null {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const names = name === 'nc' ? ['nc', 'nc.openbsd'] : [name];
  for (const folder of folders) {
    for (const file of names) if (existsSync(path.join(folder, file))) return path.join(folder, file);
  }
  return null;
}

function present(part: Part): boolean {
  if (part === 'root') return process.getuid?.() === 0;
  if (part === 'linux') return process.platform === 'linux';
  // What iterators need whose programs the kernel fits to itself, and the PID namespace that they tell of.
  if (part === 'bpf')
    return existsSync('/sys/kernel/btf/vmlinux') && readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]';
  if (part === 'cgroup2') return createGroups().areThere;
  if (part === 'wine') return existsSync(path.join(import.meta.dirname, '../../.parts/wine/ready'));
  if (part === 'ipv6') return existsSync('/proc/net/if_inet6') || process.platform !== 'linux';
  return program(part) !== null;
}

/** For `describe.runIf(needs('what it is', 'root', 'lsof'))`: whether all are there. */
export function needs(what: string, ...parts: Part[]): boolean {
  const missing = parts.filter((part) => !present(part));
  if (missing.length === 0) return true;
  const reason = missing.map((part) => whyMissing[part] ?? `${part} is missing`).join('; ');
  if (process.env.REEVE_REQUIRE_ALL === '1') throw new Error(`'${what}' must run, but ${reason}`);
  if (process.env.REEVE_NOT_RUN) appendFileSync(process.env.REEVE_NOT_RUN, `${what}: ${reason}\n`);
  return false;
}
