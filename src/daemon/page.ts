// The status page for people: plain HTML, no script, everything escaped.
import { formatDuration, formatSize } from '../core/quantity.ts';
import { plural, printable } from '../core/text.ts';
import type { DaemonStatus } from './status.ts';

const style = `
:root { color-scheme: light dark; --line: #8884; --up: #1a7f37; --down: #c62828; --other: #9a6700 }
@media (prefers-color-scheme: dark) { :root { --up: #4cc870; --down: #ff7b72; --other: #e3b341 } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.up, .ready, .listening, .finished { color: var(--up) } .down, .backoff, .crash-looping { color: var(--down) }
.unknown, .waiting, .starting, .draining, .stopping, .stopped { color: var(--other) }
nav a { margin-right: 1rem }
`;

/** Text that is markup already. Everything else is escaped on its way in. */
interface Markup {
  html: string;
}

type Cell = string | number | Markup;

export function statusPage(status: DaemonStatus, now = Date.now()): string {
  const running = formatDuration(Math.max(0, now - Date.parse(status.startedAt)));
  const listeners = status.listeners.map((is) => [
    is.name,
    lines(is.binds.map((bind) => `${bind.address} ${bind.listening ? 'listening' : 'not listening'}`)),
    is.serves,
    `${is.connections.active} open, ${is.connections.total} in all`,
    `${formatSize(is.bytes.received)} in, ${formatSize(is.bytes.sent)} out`,
  ]);
  const targets = status.listeners.flatMap(({ name, targets }) =>
    targets.map((is) => [
      name,
      is.instance ? `${is.id} (${is.instance})` : is.id,
      word(is.draining ? 'draining' : is.verdict),
      `${is.connections.active} open, ${is.connections.total} in all, ${is.failures} failed`,
    ]),
  );
  const instances = status.services.flatMap(({ instances }) =>
    instances.map((is) => [
      is.id,
      word(is.state),
      is.pid ?? '',
      Object.entries(is.ports)
        .map(([name, port]) => `${name} ${port}`)
        .join(', '),
      is.restarts,
      is.detail ?? '',
    ]),
  );
  const checks = status.checks.map((is) => [
    is.name,
    is.url,
    word(is.verdict),
    is.ms === null ? '' : formatDuration(is.ms),
    is.reason ?? '',
  ]);
  const sinks = status.sinks.map((is) => [
    is.name,
    is.kind,
    word(is.failure === null ? 'up' : 'down'),
    plural(is.delivered, 'record'),
    formatSize(is.bytes),
  ]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Portreeve: ${escaped(status.state)}</title><style>${style}</style></head><body>
<h1>Portreeve ${escaped(status.version)}: ${word(status.state).html}</h1>
<p>PID ${status.pid}, for ${escaped(running)}, configuration ${escaped(status.configFile)}</p>
<nav>${['/healthz', '/readyz', '/metrics', '/api/v1/status', '/api/v1/events?since=0']
    .map((path) => `<a href="${path}">${path.replace(/\?.*/, '')}</a>`)
    .join('')}</nav>
${table('Listeners', ['Name', 'Address', 'Serves', 'Connections', 'Bytes'], listeners)}
${table('Targets', ['Listener', 'Target', 'Verdict', 'Connections'], targets)}
${table('Instances', ['Instance', 'State', 'PID', 'Ports', 'Restarts', 'Detail'], instances)}
${table('Checks', ['Name', 'URL', 'Verdict', 'Took', 'Reason'], checks)}
${table('Sinks', ['Name', 'Kind', 'State', 'Delivered', 'Bytes'], sinks)}
</body></html>
`;
}

function table(title: string, head: string[], rows: Cell[][]): string {
  if (rows.length === 0) return '';
  const row = (cells: Cell[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${markup(cell)}</${tag}>`).join('')}</tr>`;
  return `<h2>${title}</h2><table><thead>${row(head, 'th')}</thead><tbody>${rows.map((cells) => row(cells, 'td')).join('\n')}</tbody></table>`;
}

function markup(cell: Cell): string {
  return typeof cell === 'object' ? cell.html : escaped(String(cell));
}

function lines(texts: string[]): Markup {
  return { html: texts.map(escaped).join('<br>') };
}

/** A state or verdict in its colour; the word itself tells as much. */
function word(state: string): Markup {
  return { html: `<span class="${escaped(state)}">${escaped(state)}</span>` };
}

function escaped(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return printable(text).replace(/[&<>"']/g, (character) => entities[character]!);
}
