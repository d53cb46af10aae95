// Bundles the command line, the library and the dashboard into dist/, with type declarations beside them.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';
import { buildWeb } from './build-web.mjs';
import { root } from './setup.mjs';

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const dist = path.join(root, 'dist');
/** Built aside and moved, so that a build that fails leaves the last good one. */
const fresh = path.join(root, 'node_modules', '.portreeve-build');
rmSync(fresh, { recursive: true, force: true });

const common = {
  absWorkingDir: root,
  outdir: fresh,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
};
/** Native code, programs of their own, and large libraries that few need. */
const packages = [
  '@grpc/grpc-js',
  'koffi',
  '@photostructure/sqlite',
  'pino-pretty',
  'piscina',
  'undici',
  '@nats-io/transport-node',
  '@nats-io/jetstream',
];
/** In the daemon's own file, as are fastify and pino; who calls `dial` may hand in a registry of the package itself. */
const metrics = ['prom-client'];
const define = { __REEVE_VERSION__: JSON.stringify(version) };

/**
 * The command line is CommonJS: on Node 20 that starts about 30 ms sooner than ECMAScript modules, whose loader asks
 * for every file in turn. What only some commands need is in files of its own. src/cli/launch.ts runs them.
 */
const programs = {
  look: 'src/cli/look.ts',
  command: 'src/cli/reeve.ts',
  daemon: 'src/daemon/index.ts',
  config: 'src/config/index.ts',
};
const builds = {};
for (const [name, entry] of Object.entries(programs)) {
  const { metafile } = await build({
    ...common,
    entryPoints: { [name]: entry },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    minifyWhitespace: true,
    metafile: true,
    external: [
      ...packages,
      '@clack/prompts',
      'string-width',
      'cli-truncate',
      ...(name === 'daemon' ? [] : metrics),
    ],
    plugins: [leaveToDoors()],
    define: { ...define, 'import.meta.url': '__moduleUrl' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  leaveToLauncher(path.join(fresh, `${name}.cjs`), metafile);
  builds[name] = hashOf(`${name}.cjs`);
}

await build({
  ...common,
  entryPoints: { reeve: 'src/cli/launch.ts' },
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  define: { __REEVE_BUILDS__: JSON.stringify(builds) },
});

/** Processes that do nothing else, started again and again: a file each. */
await build({
  ...common,
  entryPoints: {
    'relay-worker': 'src/relay/native/worker.ts',
    'console-interrupt': 'src/system/windows/console-interrupt.ts',
    elevated: 'src/system/windows/elevated.ts',
  },
  format: 'esm',
  external: packages,
});

/** A handler's threads, and what lets them import TypeScript. */
await build({
  ...common,
  entryPoints: {
    'handler-thread': 'src/listen/handlers/thread.ts',
    'handler-hooks': 'src/listen/handlers/hooks.ts',
  },
  format: 'esm',
  external: packages,
});

await build({
  ...common,
  entryPoints: {
    index: 'src/index.ts',
    keeper: 'src/cli/keeper.ts',
  },
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  external: [...packages, ...metrics],
  plugins: [withoutDaemon()],
  define,
  // Bundled CommonJS packages call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
chmodSync(path.join(fresh, 'reeve.cjs'), 0o755);

const types = spawn(
  process.execPath,
  [
    path.join(root, 'node_modules/typescript/bin/tsc'),
    ...['-p', 'tsconfig.types.json', '--noCheck', '--outDir', path.join(fresh, 'types')],
  ],
  { cwd: root, stdio: ['ignore', 2, 2] },
);
const [[typesExit]] = await Promise.all([once(types, 'exit'), buildWeb(path.join(fresh, 'web'))]);
if (typesExit !== 0) throw new Error('the type declarations could not be made');
writeFileSync(path.join(fresh, '.built'), version);
rmSync(dist, { recursive: true, force: true });
renameSync(fresh, dist);
// What is called most leaves what V8 compiled for it (src/cli/launch.ts): a table, so somebody must listen.
const listener = createServer().listen(0, '127.0.0.1');
await once(listener, 'listening');
for (const word of ['who', '--version'])
  spawnSync(process.execPath, [path.join(dist, 'reeve.cjs'), word], { stdio: 'ignore' });
listener.close();

/** Its import() of other files and packages is done by src/cli/launch.ts. */
function leaveToLauncher(file, { outputs }) {
  let text = readFileSync(file, 'utf8');
  for (const { kind, path: name } of Object.values(outputs).flatMap(({ imports }) => imports)) {
    if (kind === 'dynamic-import')
      text = text.replaceAll(`import(${JSON.stringify(name)})`, `loadModule(${JSON.stringify(name)})`);
  }
  writeFileSync(file, text);
}

function hashOf(name) {
  return createHash('sha256')
    .update(readFileSync(path.join(fresh, name)))
    .digest('hex')
    .slice(0, 12);
}

/** The library speaks to a daemon and runs none; esbuild would bring what functions import that it has left out. */
function withoutDaemon() {
  return {
    name: 'without-daemon',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/(daemon|run)\.ts$/ }, ({ kind, importer }) =>
        kind === 'dynamic-import' && importer.endsWith(path.join('daemon', 'index.ts'))
          ? { path: 'left-out', external: true }
          : undefined,
      );
    },
  };
}

/** Imports of the daemon's and the configuration's doors at run time go to their own files. */
function leaveToDoors() {
  return {
    name: 'leave-to-doors',
    setup({ onResolve }) {
      onResolve({ filter: /\/(daemon|config)\/index\.ts$/ }, ({ kind, path: door }) =>
        kind === 'dynamic-import' ? { path: path.basename(path.dirname(door)), external: true } : undefined,
      );
    },
  };
}
