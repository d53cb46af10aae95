// Rules between values: names that must exist, things that exclude each other, addresses wanted twice.
// They read the plain values rather than the schema's result, so that they apply while other values are wrong.

import { bindRules } from './bind-rules.ts';
import { targetCheckRules, watchRules } from './check-rules.ts';
import { dependencyRules } from './dependency-rules.ts';
import { mustExist, type ReportRule } from './names.ts';
import type { Fault, Path } from './problems.ts';
import { isText, type Section, section, sections } from './raw.ts';
import { proxyRules, targetTlsRules, tlsRules } from './tls-rules.ts';
import { udpRules } from './udp-rules.ts';

export function checkRules(root: unknown): Fault[] {
  const faults: Fault[] = [];
  const report: ReportRule = (path, message, on) => faults.push({ path, message, ...(on && { on }) });
  for (const [name, service] of sections(root, 'services')) serviceRules(name, service, root, report);
  dependencyRules(root, report);
  watchRules(root, report);
  for (const [name, listener] of sections(root, 'listeners')) {
    listenerRules(['listeners', name], listener, root, report);
  }
  registryRules(root, report);
  for (const [name, sink] of sections(root, 'sinks')) sinkRules(['sinks', name], sink, report);
  return [...faults, ...bindRules(root)];
}

function serviceRules(name: string, service: Section, root: unknown, report: ReportRule): void {
  const at = ['services', name];
  const ports = portsOf(service);
  const names = Object.keys(ports);
  if (names.length === 0 && service.oneshot !== true)
    report([...at, 'ports'], 'a service needs at least one port, unless it is a oneshot');
  if (service.oneshot === true && 'check' in service)
    report([...at, 'check'], 'a oneshot is not checked: its exit code tells how it went');
  const { instances } = service;
  const variables = new Map<string, string>();
  for (const [name, port] of Object.entries(ports)) {
    if (typeof port === 'number' && typeof instances === 'number' && instances > 1) {
      const message = `${instances} instances cannot share port ${port}: write auto, or one instance`;
      report([...at, 'ports', name], message);
    }
    const variable = `PORT_${name.toUpperCase().replaceAll('-', '_')}`;
    const other = variables.get(variable);
    if (other !== undefined) report([...at, 'ports', name], `'${other}' is ${variable} as well: rename one`);
    variables.set(variable, name);
  }
  const check = section(service.check);
  if (isText(check.port) && !names.includes(check.port)) {
    report(
      [...at, 'check', 'port'],
      `no port is named '${check.port}': this service has ${names.join(', ')}`,
    );
  }
  if ('initial' in check)
    report([...at, 'check', 'initial'], 'initial is for checks and targets: an instance starts as unknown');
  targetCheckRules([...at, 'check'], check, root, report, name);
  const register = section(service.register);
  if ('register' in service && service.oneshot === true)
    report([...at, 'register'], 'a oneshot is not announced: nobody answers');
  if (isText(register.port) && !names.includes(register.port))
    report(
      [...at, 'register', 'port'],
      `no port is named '${register.port}': this service has ${names.join(', ')}`,
    );
}

function listenerRules(at: Path, listener: Section, root: unknown, report: ReportRule): void {
  const { sink } = listener;
  const served = ['balance', 'sink', 'handler'].filter((key) => key in listener);
  if (served.length === 0) report(at, 'a listener needs balance, sink or handler', 'key');
  if (served.length > 1) report([...at, served[1]!], 'a listener has one of balance, sink and handler');
  if ('balance' in listener && 'frame' in listener) {
    report(
      [...at, 'frame'],
      'frame is for a listener with a sink or a handler: balanced connections are passed on as they are',
    );
  }
  if (isText(sink)) mustExist([...at, 'sink'], 'sink', sink, root, report);
  const conflict = section(listener.conflict);
  const allowed = conflict.allowEvict;
  if (
    conflict.policy === 'evict' &&
    (allowed === undefined || (Array.isArray(allowed) && allowed.length === 0))
  ) {
    const message = 'evict ends only processes that are named in allowEvict, and none is';
    report([...at, 'conflict', 'policy'], message);
  }
  udpRules(at, listener, root, report);
  proxyRules(at, listener, root, report);
  if ('tls' in listener) tlsRules([...at, 'tls'], listener, root, destinationRules, report);
  if ('balance' in listener) balanceRules([...at, 'balance'], section(listener.balance), root, report);
}

function balanceRules(at: Path, balance: Section, root: unknown, report: ReportRule): void {
  const kinds = ['service', 'targets'].filter((key) => key in balance);
  if (kinds.length !== 1) {
    report(at, 'balance needs either a service or targets', 'key');
  } else if ('targets' in balance && 'port' in balance) {
    report([...at, 'port'], 'port is for a service: targets name their own');
  } else if ('service' in balance && 'check' in balance) {
    report([...at, 'check'], 'check is for targets: a service has its own');
  }
  targetCheckRules([...at, 'check'], section(balance.check), root, report);
  if ('tls' in balance) targetTlsRules([...at, 'tls'], section(balance.tls), root, report);
  const fromRegistry = isFromRegistry(balance, root);
  for (const key of ['tags', 'datacenter'])
    if (key in balance && !fromRegistry) report([...at, key], `${key} is for a service of the registry`);
  if (!isText(balance.service) && 'from' in balance) report([...at, 'from'], 'from is for a service');
  destinationRules(at, balance, root, report);
}

/** A service and its port, as balance and each server name may name them. */
function destinationRules(at: Path, destination: Section, root: unknown, report: ReportRule): void {
  const { service, port } = destination;
  if (!isText(service) || isFromRegistry(destination, root)) return;
  if (!mustExist([...at, 'service'], 'service', service, root, report)) return;
  const served = section(section(section(root).services)[service]);
  if (served.oneshot === true)
    report([...at, 'service'], `service '${service}' is a oneshot: nobody answers`);
  const ports = Object.keys(portsOf(served));
  if (isText(port) && !ports.includes(port)) {
    report([...at, 'port'], `service '${service}' has no port '${port}': it has ${ports.join(', ')}`);
  }
}

/** Said so, or a service that this file does not have while there is a registry beyond this machine. */
function isFromRegistry({ service, from }: Section, root: unknown): boolean {
  if (!isText(service) || from === 'file') return false;
  const { services, registry } = section(root);
  return (
    from === 'registry' ||
    (registry !== 'embedded' && registry !== undefined && !(service in section(services)))
  );
}

function registryRules(root: unknown, report: ReportRule): void {
  const { registry, ports } = section(root);
  const consul = section(section(registry).consul);
  if (section(ports).leases === 'registry' && !('consul' in section(registry)))
    report(['ports', 'leases'], 'leases are kept in the registry only where it is Consul');
  if ('token' in consul && 'tokenFile' in consul)
    report(['registry', 'consul', 'tokenFile'], 'token or tokenFile, not both');
  if ('cert' in consul !== 'key' in consul)
    report(['registry', 'consul', 'cert' in consul ? 'cert' : 'key'], 'cert and key go together');
}

const fileKeys = ['rotate', 'fsync'];
const natsKeys = [
  ...['stream', 'subject', 'deduplicate', 'spool', 'token', 'user', 'password', 'credentials', 'tls'],
];

function sinkRules(at: Path, sink: Section, report: ReportRule): void {
  const kinds = ['file', 'stdout', 'nats'].filter((key) => key in sink);
  if (kinds.length === 0) report(at, 'a sink is either a file, stdout: true or nats', 'key');
  if (kinds.length > 1) report([...at, kinds[1]!], 'a sink is either a file, stdout: true or nats, not both');
  const [kind] = kinds;
  if (kind === undefined) return;
  for (const key of fileKeys)
    if (kind !== 'file' && key in sink) report([...at, key], `${key} is for a file`);
  for (const key of natsKeys) if (kind !== 'nats' && key in sink) report([...at, key], `${key} is for nats`);
  if (kind !== 'nats') return;
  if (!('stream' in sink)) report(at, 'nats needs the name of a stream', 'key');
  const ways = ['token', 'user', 'credentials'].filter((key) => key in sink);
  if (ways.length > 1) report([...at, ways[1]!], `either ${ways.join(' or ')}, not both`);
  if ('user' in sink !== 'password' in sink) report(at, 'user and password belong together', 'key');
}

/** The ports of a service as they stand; a service that names none has `http`. */
function portsOf(service: Section): Section {
  return 'ports' in service ? section(service.ports) : { http: 'auto' };
}
