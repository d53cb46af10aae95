// Windows' firewall as the registry has it, in no language: does a rule let others reach this port? Pure.
import { inRanges, type PortRange } from '../../core/range.ts';
import type { FirewallAnswer } from '../firewall.ts';

/** Of the machine, and of its group policy: the same format ([MS-GPFAS] 2.2.2.19). */
export const firewallKeys = [
  String.raw`HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy`,
  String.raw`HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall`,
];

export interface Firewall {
  /** By profile: StandardProfile (private networks), PublicProfile, DomainProfile. */
  profiles: Map<string, boolean>;
  rules: FirewallRule[];
}

export interface FirewallRule {
  allow: boolean;
  /** IANA's number; null for every one. */
  protocol: number | null;
  /** Null for every one. */
  ports: PortRange[] | null;
  /** In lower case; null for every one. */
  program: string | null;
}

export interface Reachable {
  protocol: 'tcp' | 'udp';
  port: number;
  /** Full name of the program that listens; null where it is not known. */
  program: string | null;
}

const protocolNumbers = { tcp: 6, udp: 17 } as const;

/** `reg query KEY /s`: a line for each key, and below it its values. */
export function parseFirewall(text: string, env: NodeJS.ProcessEnv): Firewall {
  const firewall: Firewall = { profiles: new Map(), rules: [] };
  let key = '';
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('HKEY_')) key = line.trim().split('\\').at(-1)!;
    const enabled = /^\s+EnableFirewall\s+REG_DWORD\s+0x([0-9a-f]+)\s*$/i.exec(line)?.[1];
    // What the policy says comes last, and wins.
    if (enabled !== undefined) firewall.profiles.set(key, Number.parseInt(enabled, 16) !== 0);
    const rule = key === 'FirewallRules' ? /\s+REG_SZ\s+(v[\d.]+\|.*)$/.exec(line)?.[1] : undefined;
    const parsed = rule === undefined ? null : parseRule(rule, env);
    if (parsed) firewall.rules.push(parsed);
  }
  return firewall;
}

/** `v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=80|LPort2_10=90-99|App=…|`; null for one that does not count. */
function parseRule(text: string, env: NodeJS.ProcessEnv): FirewallRule | null {
  const fields = text.split('|').map((field) => {
    const at = field.indexOf('=');
    return [field.slice(0, at), field.slice(at + 1)] as const;
  });
  const all = (name: string) => fields.filter(([key]) => key === name).map(([, value]) => value);
  const [action] = all('Action');
  if (all('Active')[0] !== 'TRUE' || all('Dir')[0] !== 'In') return null;
  if (action !== 'Allow' && action !== 'Block') return null;
  const protocol = all('Protocol')[0];
  const ports = [...all('LPort'), ...all('LPort2_10')];
  const program = all('App')[0];
  return {
    allow: action === 'Allow',
    protocol: protocol === undefined ? null : Number(protocol),
    // Words (RPC, IPHTTPSIn) are ports that Windows finds out by itself.
    ports: ports.length === 0 ? null : ports.flatMap(parsePorts),
    program: program === undefined ? null : expand(program, env).toLowerCase(),
  };
}

function parsePorts(text: string): PortRange[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  return match ? [{ first: Number(match[1]), last: Number(match[2] ?? match[1]) }] : [];
}

function expand(text: string, env: NodeJS.ProcessEnv): string {
  const values = new Map(Object.entries(env).map(([name, value]) => [name.toLowerCase(), value]));
  return text.replace(/%([^%]+)%/g, (whole, name: string) => values.get(name.toLowerCase()) ?? whole);
}

/** Null where nothing is known of a firewall. What blocks wins over what allows; what nothing allows is blocked. */
export function judge(firewall: Firewall, socket: Reachable): FirewallAnswer | null {
  if (firewall.profiles.size === 0) return null;
  const command = `netsh advfirewall firewall add rule name="reeve ${socket.protocol} ${socket.port}" dir=in action=allow protocol=${socket.protocol.toUpperCase()} localport=${socket.port}`;
  if (![...firewall.profiles.values()].includes(true)) return { verdict: 'off', command: null };
  const meant = firewall.rules.filter((rule) => meets(rule, socket));
  // Windows writes a rule that blocks where somebody said no when it asked: another rule does not help.
  if (meant.some(({ allow }) => !allow)) return { verdict: 'blocked', command: 'wf.msc' };
  return meant.length > 0 ? { verdict: 'allowed', command: null } : { verdict: 'missing', command };
}

function meets({ protocol, ports, program }: FirewallRule, socket: Reachable): boolean {
  if (protocol !== null && protocol !== protocolNumbers[socket.protocol]) return false;
  if (ports !== null && !inRanges(ports, socket.port)) return false;
  return program === null || program === socket.program?.toLowerCase();
}
