// The API's document as a page for people: no script, nothing loaded, everything escaped.
import type { OpenApi, Operation, Schema } from './openapi.ts';

export const pageStyle = `
:root { color-scheme: light dark; --line: #8884; --get: #1a7f37; --post: #9a6700 }
@media (prefers-color-scheme: dark) { :root { --get: #4cc870; --post: #e3b341 } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem }
code, pre { font: 13px/1.45 ui-monospace, monospace } pre { overflow: auto; padding: .6rem; border: 1px solid var(--line) }
details { border-bottom: 1px solid var(--line); padding: .35rem 0 } summary { cursor: pointer }
summary b { display: inline-block; width: 3.2rem } .get { color: var(--get) } .post { color: var(--post) }
summary span { opacity: .8; margin-left: .6rem } table { border-collapse: collapse }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; vertical-align: top }
`;

export function apiPage({ info, paths, components }: OpenApi): string {
  const groups = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0]!;
      groups.set(tag, [...(groups.get(tag) ?? []), operationHtml(method, path, operation)]);
    }
  }
  const sections = [...groups].map(([tag, items]) => `<h2>${escaped(tag)}</h2>${items.join('\n')}`);
  const shapes = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="${escaped(name)}"><summary><code>${escaped(name)}</code><span>${escaped(String(schema.description ?? ''))}</span></summary>${block(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Portreeve API</title><style>${pageStyle}</style></head><body>
<h1>Portreeve ${escaped(info.version)}: the API</h1>
<p>${escaped(info.description)}</p><p><a href="/openapi.json">openapi.json</a> · <a href="/">dashboard</a></p>
${sections.join('\n')}
<h2>Shapes</h2>${shapes.join('\n')}
</body></html>
`;
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses, security } = operation;
  const rows = parameters.map(
    (each) =>
      `<tr><td><code>${escaped(each.name)}</code></td><td>${each.in}${each.required ? ', required' : ''}</td><td>${escaped(each.description ?? '')}</td><td><code>${escaped(JSON.stringify(each.schema))}</code></td></tr>`,
  );
  const answers = Object.entries(responses)
    .filter(([code]) => code !== 'default' && Number(code) !== 400 && Number(code) !== 401)
    .flatMap(([code, { content = {} }]) =>
      Object.entries(content).map(
        ([type, each]) =>
          `<p>${code} <code>${escaped(type)}</code></p>${block(each['x-events'] ?? each.schema)}`,
      ),
    );
  return `<details><summary><b class="${method}">${method.toUpperCase()}</b><code>${escaped(path)}</code><span>${escaped(summary)}</span></summary>
${description ? `<p>${escaped(description)}</p>` : ''}${security ? '<p>Needs the token.</p>' : ''}
${rows.length > 0 ? `<table>${rows.join('')}</table>` : ''}
${requestBody ? `<p>Send</p>${block(Object.values(requestBody.content)[0]!.schema)}` : ''}
${answers.join('')}</details>`;
}

/** A schema as JSON, with links where it refers to a named shape. */
function block(schema: Schema): string {
  const text = escaped(JSON.stringify(schema, null, 2));
  return `<pre>${text.replace(/#\/components\/schemas\/(\w+)/g, (whole, name) => `<a href="#${name}">${whole}</a>`)}</pre>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
