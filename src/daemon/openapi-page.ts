// The API's document as a page for people: no script, nothing loaded, everything escaped.
import type { OpenApi, Operation, Schema } from './openapi.ts';

export const pageStyle = `
:root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --sunken: #eef0f3; --line: #e1e5ea; --text: #17212b
  ; --muted: #55626f; --link: #0b6285; --get: #17733f; --post: #8a5a00; --get-soft: #e4f4ea; --post-soft: #fbf0d9 }
@media (prefers-color-scheme: dark) { :root { --page: #0d1116; --card: #151a21; --sunken: #10151b; --line: #262e39
  ; --text: #e4e9ef; --muted: #98a5b3; --link: #62bde0; --get: #4cc38a; --post: #e5b454; --get-soft: #12291f; --post-soft: #2d2412 } }
* { box-sizing: border-box }
body { font: 14px/1.5 Inter, system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 64rem; margin: 0 auto; padding: 2rem 1rem 4rem }
h1 { font-size: 1.4rem; letter-spacing: -.02em; margin: 0 0 .5rem } h2 { font-size: 1.05rem; margin: 2rem 0 0 }
p { margin: .3rem 0; max-width: 46rem } a { color: var(--link) } .note, h2 + p { color: var(--muted) }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin-top: .8rem }
code, pre { font: 12.5px/1.5 "JetBrains Mono", ui-monospace, monospace; overflow-wrap: anywhere }
pre { overflow: auto; max-height: 24rem; margin: .3rem 0 .8rem; padding: .6rem .8rem; border-radius: 6px; background: var(--sunken) }
.card { margin-top: .6rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); overflow: hidden }
details + details { border-top: 1px solid var(--line) } details > div { padding: .2rem 1rem .8rem }
summary { display: grid; grid-template-columns: 3.2rem minmax(0, 17rem) minmax(0, 1fr); gap: 0 .8rem; align-items: baseline; padding: .45rem 1rem; cursor: pointer }
summary:hover { background: var(--sunken) } summary span { color: var(--muted) } .shapes summary { grid-template-columns: 8rem minmax(0, 1fr) }
b { font-size: .7rem; letter-spacing: .03em; text-align: center; border-radius: 5px; padding: .1rem 0 }
.get { color: var(--get); background: var(--get-soft) } .post { color: var(--post); background: var(--post-soft) }
table { border-collapse: collapse; margin: .3rem 0 .6rem } td { text-align: left; padding: .15rem 1.2rem .15rem 0; vertical-align: top }
h3 { font-size: .8rem; color: var(--muted); margin: .8rem 0 .2rem }
@media (max-width: 640px) { summary { grid-template-columns: 3.2rem minmax(0, 1fr) } summary span { grid-column: 1 / -1; margin-top: .15rem } .shapes summary { grid-template-columns: 1fr } }
`;

const idOf = (text: string) => text.toLowerCase().replace(/[^a-z]+/g, '-');

export function apiPage({ info, tags, paths, components }: OpenApi): string {
  const groups = new Map<string, string[]>(tags.map(({ name }) => [name, []]));
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      groups.get(operation.tags[0]!)!.push(operationHtml(method, path, operation));
    }
  }
  const sections = tags.map(
    ({ name, description }) =>
      `<h2 id="${idOf(name)}">${escaped(name)}</h2><p>${escaped(description)}</p><div class="card">${groups.get(name)!.join('\n')}</div>`,
  );
  const shapes = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="${escaped(name)}"><summary><code>${escaped(name)}</code><span>${escaped(String(schema.description ?? ''))}</span></summary><div>${block(schema)}</div></details>`,
  );
  const links = [...tags.map(({ name }) => name), 'Shapes'].map(
    (name) => `<a href="#${idOf(name)}">${escaped(name)}</a>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Portreeve API</title><style>${pageStyle}</style></head><body>
<h1>Portreeve ${escaped(info.version)}: the API</h1>
<p>${escaped(info.description)}</p><p><a href="/openapi.json">openapi.json</a> · <a href="/">dashboard</a></p>
<nav>${links.join('')}</nav>
${sections.join('\n')}
<h2 id="shapes">Shapes</h2><p>What answers are made of.</p><div class="card shapes">${shapes.join('\n')}</div>
</body></html>
`;
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses, security } = operation;
  const rows = parameters.map(
    (each) =>
      `<tr><td><code>${escaped(each.name)}</code></td><td class="note">${each.in}${each.required ? ', required' : ''}</td><td class="note">${escaped(kindOf(each.schema))}</td><td>${escaped(each.description ?? '')}</td></tr>`,
  );
  const answers = Object.entries(responses)
    .filter(([code]) => code !== 'default' && Number(code) !== 400 && Number(code) !== 401)
    .flatMap(([code, { content = {} }]) =>
      Object.entries(content).map(
        ([type, each]) =>
          `<h3>Answer ${code} <code>${escaped(type)}</code></h3>${block(each['x-events'] ?? each.schema)}`,
      ),
    );
  return `<details><summary><b class="${method}">${method.toUpperCase()}</b><code>${escaped(path)}</code><span>${escaped(summary)}</span></summary><div>
${description ? `<p>${escaped(description)}</p>` : ''}${security ? '<p class="note">Needs the token.</p>' : ''}
${rows.length > 0 ? `<h3>Parameters</h3><table>${rows.join('')}</table>` : ''}
${requestBody ? `<h3>Send</h3>${block(Object.values(requestBody.content)[0]!.schema)}` : ''}
${answers.join('')}</div></details>`;
}

/** `string`, `24h | 30d`, `integer, from 0 to 256`: what a parameter may be, in a line. */
function kindOf({ type, enum: values, minimum, maximum, default: usual }: Schema): string {
  const isBound = (value: unknown) => typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const bounds = [
    ...(isBound(minimum) ? [`from ${minimum}`] : []),
    ...(isBound(maximum) ? [`to ${maximum}`] : []),
  ].join(' ');
  const kind = Array.isArray(values) ? values.join(' | ') : String(type ?? 'any');
  return [kind, bounds, usual === undefined ? '' : `${usual} where absent`]
    .filter((part) => part !== '')
    .join(', ');
}

/** A schema as JSON, with links where it refers to a named shape. */
function block(schema: Schema): string {
  const text = escaped(JSON.stringify(schema, null, 2));
  return `<pre>${text.replace(/#\/components\/schemas\/(\w+)/g, (whole, name) => `<a href="#${name}">${whole}</a>`)}</pre>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
