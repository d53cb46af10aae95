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

/** What only the portable engine does is refused where the native one is forced. */
export function notNative(at: Path, what: string, root: unknown, report: ReportRule): void {
  if (section(section(root).relay).engine !== 'native') return;
  report(at, `${what} by the portable engine only, and relay.engine is native: write auto or portable`);
}
