// One probe in the words of Prometheus' blackbox exporter, so that its dashboards and alerts work on our checks.
import { familyOf } from '../core/address.ts';
import { splitHostPort } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import type { ProbeResult, Scheduler } from '../health/index.ts';

/** Of a configured check alone: whoever asks must not choose where this machine connects to. */
export async function probeNow(
  scheduler: Scheduler,
  name: string,
  timeout: number,
  signal: AbortSignal,
): Promise<string> {
  const found = await scheduler.probeNow(`check/${name}`, timeout, signal);
  if (!found) {
    throw new ReeveError('not-found', `no check is named '${name}': only configured ones are probed`);
  }
  return probeMetrics(found.result, found.url.replace(/:.*/s, '').toLowerCase());
}

function probeMetrics({ verdict, degraded, ms, facts = {} }: ProbeResult, scheme: string): string {
  const lines: string[] = [];
  const gauge = (name: string, help: string, value: number | undefined, labels = '') => {
    if (value !== undefined)
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name}${labels} ${value}`);
  };
  const isHttp = scheme === 'http' || scheme === 'https';
  gauge('probe_success', 'Displays whether or not the probe was a success', verdict === 'up' ? 1 : 0);
  gauge('probe_duration_seconds', 'Returns how long the probe took to complete in seconds', ms / 1000);
  gauge('probe_ip_protocol', 'Specifies whether probe ip protocol is IP4 or IP6', protocolOf(facts.address));
  if (isHttp) {
    gauge('probe_http_status_code', 'Response HTTP status code', facts.status ?? 0);
    gauge('probe_http_redirects', 'The number of redirects', facts.redirects ?? 0);
    gauge('probe_http_ssl', 'Indicates if SSL was used for the final redirect', facts.tls ? 1 : 0);
    gauge(
      'probe_http_version',
      'Returns the version of HTTP of the probe response',
      Number(facts.httpVersion ?? 0),
    );
    gauge('probe_http_content_length', 'Length of http content response', facts.contentLength ?? -1);
  }
  if (facts.matched !== undefined) {
    const failed = facts.matched ? 0 : 1;
    gauge('probe_failed_due_to_regex', 'Indicates if probe failed due to regex', failed);
  }
  const expiry = facts.certificateExpiresAt;
  gauge(
    'probe_ssl_earliest_cert_expiry',
    'Returns last SSL chain expiry in unixtime',
    expiry === undefined ? undefined : expiry / 1000,
  );
  if (facts.tls) {
    gauge('probe_tls_version_info', 'Returns the TLS version used', 1, `{version="${version(facts.tls)}"}`);
  }
  gauge('portreeve_probe_degraded', 'Whether it is up, and to be looked at', degraded ? 1 : 0);
  return `${lines.join('\n')}\n`;
}

/** 4 or 6; undefined for what is no address. */
function protocolOf(address = ''): number | undefined {
  if (!/:\d+$/.test(address)) return undefined;
  const family = familyOf(splitHostPort(address).host ?? '');
  return family === null ? undefined : family === 'ipv4' ? 4 : 6;
}

/** `TLSv1.3` is `TLS 1.3` there. */
const version = (text: string) => text.replace('TLSv', 'TLS ').replaceAll(/[^\w. ]/g, '');
