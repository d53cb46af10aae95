// The line intake beside a Go program with a goroutine a connection: both write the same record for each line to a file.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from '../scripts/setup.mjs';
import { cpuSeconds, familyOf, goProgram, ratio, report, rounds, table, versionOf } from './harness.mjs';

const option = (name, fallback) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? fallback);
const lines = option('lines', 1_000_000);
const connections = option('connections', 20_000);
const senders = 20;
const run = promisify(execFile);
const folder = mkdtempSync(path.join(tmpdir(), 'reeve-bench-intake-'));
const program = goProgram('intake');

async function startGo() {
  const file = path.join(folder, 'go.jsonl');
  const child = spawn(program, ['serve', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [address] = await once(child.stdout.setEncoding('utf8'), 'data');
  return { child, file, address: address.trim() };
}

async function startReeve(engine) {
  const file = path.join(folder, `${engine}.jsonl`);
  const config = path.join(folder, `${engine}.yaml`);
  writeFileSync(
    config,
    `control: { listen: "127.0.0.1:0" }\nstate: ./state-${engine}\nrelay: { engine: ${engine} }\nlisteners:\n  intake: { bind: ["127.0.0.1:0"], sink: events }\nsinks:\n  events: { file: ${file}, rotate: { size: 100GB } }\n`,
  );
  const child = spawn(process.execPath, [path.join(root, 'dist', 'reeve.cjs'), 'up', '-c', config], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [text] = await once(child.stdout.setEncoding('utf8'), 'data');
  return { child, file, address: /intake\s+(127\.0\.0\.1:\d+)/.exec(text)[1] };
}

/** Of the process and the workers that it has. */
const cpuOf = ({ child }) => familyOf(child.pid).reduce((sum, pid) => sum + cpuSeconds(pid), 0);

/** Every line is in the file, counted; what was measured ends with the last of them. */
async function measure(server, mode, words, expected) {
  truncateSync(server.file, 0);
  const cpu = cpuOf(server);
  const { stdout } = await run(program, [mode, server.address, ...words.map(String)]);
  const ended = performance.now();
  let size = -1;
  let grewAt = ended;
  while (performance.now() - grewAt < 200) {
    const now = statSync(server.file).size;
    if (now !== size) grewAt = performance.now();
    size = now;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  let count = 0;
  for (const byte of readFileSync(server.file)) if (byte === 10) count += 1;
  if (count !== expected) throw new Error(`${server.file} has ${count} lines of ${expected}`);
  const seconds = Number(stdout) + (grewAt - ended) / 1000;
  return { perSecond: expected / seconds, cpu: ((cpuOf(server) - cpu) / expected) * 1e6 };
}

const servers = {
  'reeve (native, as `auto` has it)': await startReeve('auto'),
  'reeve (portable)': await startReeve('portable'),
  'Go, a goroutine a connection': await startGo(),
};
try {
  const sections = [];
  for (const [title, unit, mode, words, expected] of [
    [`Lines of 100 bytes over ${senders} connections`, 'line', 'lines', [senders, lines / senders], lines],
    ['A connection for each line, 64 at once', 'connection', 'connections', [connections, 64], connections],
  ]) {
    const cpu = {};
    const contenders = Object.fromEntries(
      Object.entries(servers).map(([name, server]) => [
        name,
        async () => {
          const measured = await measure(server, mode, words, expected);
          cpu[name] ??= [];
          cpu[name].push(measured.cpu);
          return measured.perSecond;
        },
      ]),
    );
    const result = await rounds(contenders, option('rounds', 5));
    const [ours] = Object.keys(servers);
    const rows = Object.entries(result).map(([name, { median }]) => {
      const spent = cpu[name].sort((a, b) => a - b)[cpu[name].length >> 1];
      return [name, median.toFixed(0), ratio(result[ours].median, median), `${spent.toFixed(2)} µs`];
    });
    sections.push(
      `${title} (goal: at least 1.0 ×):\n\n${table(['intake', `${unit}s/s`, 'reeve / it', `CPU a ${unit}`], rows)}`,
    );
  }
  report('intake', {
    title: 'Intake: lines into a file',
    body: `Both write the same record of JSON for each line, and every line was counted in the file. The load runs on the same
cores, and so did other work (load average ${loadavg()[0].toFixed(1)}).

${sections.join('\n\n')}`,
    versions: [versionOf(program, 'version')],
  });
} finally {
  for (const { child } of Object.values(servers)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
