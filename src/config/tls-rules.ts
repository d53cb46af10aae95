// Rules of `proxyProtocol:` and `tls:` that hold between values.
import type { ReportRule } from './names.ts';
import type { Path } from './problems.ts';
import { type Section, section } from './raw.ts';

export function proxyRules(at: Path, listener: Section, root: unknown, report: ReportRule): void {
  const { accept, from, send } = section(listener.proxyProtocol);
  const here = [...at, 'proxyProtocol'];
  const accepts = accept !== undefined && accept !== false;
  if (accepts && from === undefined) {
    const message = 'accept needs from: the addresses of the proxies that may say who the client is';
    report([...here, 'accept'], message);
  }
  if (from !== undefined && !accepts) report([...here, 'from'], 'from is for accept, which is false');
  if ('sink' in listener && send !== undefined && send !== false) {
    report([...here, 'send'], 'send is for targets: this listener has a sink');
  }
  if (accepts) notNative([...here, 'accept'], 'the PROXY protocol is accepted', root, report);
}

type DestinationRules = (at: Path, destination: Section, root: unknown, report: ReportRule) => void;

/** `destination` holds what is so of every place that names a service. */
export function tlsRules(
  at: Path,
  listener: Section,
  root: unknown,
  destination: DestinationRules,
  report: ReportRule,
): void {
  const tls = section(listener.tls);
  const hasSink = 'sink' in listener;
  notNative(at, 'TLS is spoken', root, report);
  if (tls.mode === 'passthrough') passthroughRules(at, tls, hasSink, report);
  else terminationRules(at, tls, report);
  for (const [name, value] of Object.entries(section(tls.sni))) {
    const entry = section(value);
    const here = [...at, 'sni', name];
    keyPair(here, entry, report);
    const kinds = ['service', 'targets'].filter((key) => key in entry);
    if (kinds.length > 1) report([...here, 'targets'], 'either a service or targets, not both');
    if (hasSink && kinds.length > 0) {
      report([...here, kinds[0]!], 'a listener with a sink has no other places to send to');
    }
    if ('port' in entry && !('service' in entry)) report([...here, 'port'], 'port is for a service');
    destination(here, { ...entry, from: section(listener.balance).from }, root, report);
  }
}

function terminationRules(at: Path, tls: Section, report: ReportRule): void {
  if (!('cert' in tls) && !('key' in tls)) report(at, 'tls needs cert and key, or mode: passthrough', 'key');
  keyPair(at, tls, report);
  const asks = tls.clientAuth === 'request' || tls.clientAuth === 'require';
  if (asks && !('clientCa' in tls)) {
    const message = `${tls.clientAuth} needs clientCa: the authorities that may have signed them`;
    report([...at, 'clientAuth'], message);
  }
  if (tls.clientAuth === 'none' && 'clientCa' in tls) {
    report([...at, 'clientCa'], 'clientCa is for clientAuth: request or require');
  }
}

const ofTermination = [
  'cert',
  'key',
  'passphraseFile',
  'clientCa',
  'clientAuth',
  'alpn',
  'minVersion',
  'ciphers',
];

function passthroughRules(at: Path, tls: Section, hasSink: boolean, report: ReportRule): void {
  const places = [tls, ...Object.values(section(tls.sni)).map(section)];
  const key = ofTermination.find((name) => places.some((place) => name in place));
  if (key !== undefined) report([...at, 'mode'], `TLS that is passed through has no use for ${key}`);
  if (hasSink) report([...at, 'mode'], 'passthrough is for balance: a sink needs what is inside');
}

export function targetTlsRules(at: Path, tls: Section, root: unknown, report: ReportRule): void {
  notNative(at, 'TLS to targets is spoken', root, report);
  keyPair(at, tls, report);
}

function keyPair(at: Path, place: Section, report: ReportRule): void {
  if ('cert' in place && !('key' in place)) report([...at, 'cert'], 'cert needs key beside it');
  if ('key' in place && !('cert' in place)) report([...at, 'key'], 'key needs cert beside it');
}

/** What only the portable engine does is refused where the native one is forced. */
export function notNative(at: Path, what: string, root: unknown, report: ReportRule): void {
  if (section(section(root).relay).engine !== 'native') return;
  report(at, `${what} by the portable engine only, and relay.engine is native: write auto or portable`);
}
