// npm run recording: runs real commands in a network of their own and draws their output, with its colours, as
// docs/images/reeve.svg: lines that appear one after the other, without script.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureBuild, ensurePackages, findPart, root } from './setup.mjs';

ensurePackages();
ensureBuild();
// In a network and a PID namespace of its own the picture shows the demonstration and not this machine.
if (process.getuid?.() === 0 && !process.env.REEVE_APART) {
  const inside = `${findPart('ip') ?? 'ip'} link set lo up && exec ${process.execPath} ${process.argv[1]}`;
  const { status } = spawnSync('unshare', ['--net', '--pid', '--fork', '--mount-proc', 'sh', '-c', inside], {
    stdio: 'inherit',
    env: { ...process.env, REEVE_APART: '1' },
  });
  process.exit(status ?? 1);
}

const folder = mkdtempSync(path.join(tmpdir(), 'demo-'));
writeFileSync(
  path.join(folder, 'server.js'),
  "require('node:http').createServer((_, response) => response.end('hello')).listen(3000, () => console.log('up'));",
);
const server = spawn(process.execPath, ['server.js'], {
  cwd: folder,
  argv0: 'node',
  stdio: ['ignore', 'pipe', 'inherit'],
});
await once(server.stdout, 'data');

const commands = [
  ['who', '3000'],
  ['why', '0.0.0.0:3000'],
  ['free', '3000', '--yes'],
  ['lease', 'web'],
];
const lines = [];
for (const command of commands) {
  const { stdout } = spawnSync(process.execPath, [path.join(root, 'dist', 'reeve.cjs'), ...command], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '1', NO_COLOR: '', LANG: 'C', REEVE_LEASES: folder },
  });
  lines.push(
    { typed: `reeve ${command.join(' ')}` },
    ...stdout
      .trimEnd()
      .split('\n')
      .map((text) => ({ text })),
    { text: '' },
  );
}
server.kill();
rmSync(folder, { recursive: true });

const colors = { 31: '#ff7b72', 32: '#4cc870', 33: '#e3b341', 36: '#56d4dd' };
const escaped = (text) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

/** SGR sequences (ECMA-48, 8.3.117) as spans; of those that reeve uses. */
function spans(text) {
  const style = { color: null, bold: false, dim: false };
  let drawn = '';
  for (const [, code, words] of text.matchAll(/(?:\x1b\[(\d+)m)|([^\x1b]+)/g)) {
    if (code === undefined) {
      const own = [
        style.color && `fill="${style.color}"`,
        style.bold && 'font-weight="bold"',
        style.dim && 'opacity="0.6"',
      ].filter(Boolean);
      drawn += own.length > 0 ? `<tspan ${own.join(' ')}>${escaped(words)}</tspan>` : escaped(words);
    } else if (code === '1') style.bold = true;
    else if (code === '2') style.dim = true;
    else if (code === '22') style.bold = style.dim = false;
    else if (code === '39') style.color = null;
    else if (colors[code]) style.color = colors[code];
  }
  return drawn;
}

const width = 920;
const pitch = 19;
/** Seconds: a command is typed, then its lines come. */
let at = 0.3;
const rows = lines.map(({ typed, text }, i) => {
  at += typed ? 0.9 : 0.06;
  const content = typed
    ? `<tspan fill="#56d4dd">$</tspan> <tspan font-weight="bold">${escaped(typed)}</tspan>`
    : spans(text);
  return `<text x="20" y="${44 + i * pitch}" style="animation-delay:${at.toFixed(2)}s">${content}</text>`;
});
const height = 44 + lines.length * pitch;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="reeve on a terminal: who has port 3000, why a bind to it fails, freeing it, a leased port">
<style>text{font:13px/1 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d7dce2;white-space:pre;animation:come .1s both}@keyframes come{from{opacity:0}}@media (prefers-reduced-motion:reduce){text{animation:none}}</style>
<rect width="${width}" height="${height}" rx="8" fill="#14181d"/>
<circle cx="20" cy="16" r="5" fill="#ff7b72"/><circle cx="38" cy="16" r="5" fill="#e3b341"/><circle cx="56" cy="16" r="5" fill="#4cc870"/>
${rows.join('\n')}
</svg>
`;
const images = path.join(root, 'docs', 'images');
mkdirSync(images, { recursive: true });
writeFileSync(path.join(images, 'reeve.svg'), svg);
console.log('wrote docs/images/reeve.svg');
