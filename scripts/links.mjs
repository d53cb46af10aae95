// Links between the documents: every relative link in *.md leads to a file, and every #anchor to a heading.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from './setup.mjs';

const skipped = new Set(['node_modules', 'dist', '.git', '.parts', 'coverage']);

function* markdownIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory() && !skipped.has(entry.name)) yield* markdownIn(file);
    else if (entry.isFile() && entry.name.endsWith('.md')) yield file;
  }
}

/** Code shows brackets that are no links, and lines with # that are no headings. */
const withoutCode = (text) => text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '');

/** As GitHub makes them: lower case, no punctuation, hyphens for spaces, -1 and so on for repeated ones. */
function anchorsOf(file) {
  const seen = new Map();
  const anchors = new Set();
  for (const [, title] of withoutCode(readFileSync(file, 'utf8')).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

function wrongIn(file, target) {
  const [name, anchor] = decodeURI(target).split('#');
  const to = name === '' ? file : path.resolve(path.dirname(file), name);
  if (path.relative(root, to).startsWith('..')) return 'leads out of the repository';
  if (!existsSync(to)) return 'there is no such file';
  if (!anchor || !statSync(to).isFile()) return null;
  return anchorsOf(to).has(anchor) ? null : `there is no heading for #${anchor}`;
}

let count = 0;
for (const file of markdownIn(root)) {
  const text = withoutCode(readFileSync(file, 'utf8')).replace(/`[^`\n]*`/g, '');
  for (const [, target] of text.matchAll(/\]\(<?([^)\s>]+)>?(?: +"[^"]*")?\)/g)) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
    count += 1;
    const wrong = wrongIn(file, target);
    if (wrong === null) continue;
    console.error(`${path.relative(root, file)}: (${target}): ${wrong}`);
    process.exitCode = 1;
  }
}
if (!process.exitCode) console.log(`links: ${count} in order`);
