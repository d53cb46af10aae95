// HAProxy under the same load, reloaded again and again as its manual advises: a master that starts a worker anew and
// hands it the listening sockets. Prints, as JSON, what clients saw of it. node haproxy.mjs <reloads> [<kept> <rate>]
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { programs } from '../relay/contenders.mjs';
import { freePort } from '../relay/stage.mjs';
import { createScene, summary } from './scene.mjs';

const [reloads = 50, kept = 200, rate = 200] = process.argv.slice(2).map(Number);
const scene = createScene();

/** The nth configuration: other targets, weights and limits than the one before, and how to see that it is in force. */
function configure(n, port, [a, b]) {
  const servers = [
    `  server a 127.0.0.1:${a}`,
    `  server b 127.0.0.1:${b}`,
    `  server a 127.0.0.1:${a}\n  server b 127.0.0.1:${b} weight 3`,
  ];
  writeFileSync(
    scene.at('haproxy.cfg'),
    `global
  maxconn 8000
  nbthread 1
  description n${n}
  stats socket ${scene.at('stats')} level admin expose-fd listeners
defaults
  mode tcp
  maxconn ${5000 + (n % 7)}
  timeout connect 5s
  timeout client ${60 + (n % 5)}s
  timeout server 60s
listen web
  bind 127.0.0.1:${port}
  balance ${n % 4 < 2 ? 'roundrobin' : 'leastconn'}
${servers[n % 3]}
`,
  );
}

/** What the worker that owns the socket now says of itself; nothing while it changes hands. */
function ask(words) {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(scene.at('stats'), () => socket.end(`${words}\n`));
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.on('error', () => resolve(''));
    socket.on('close', () => resolve(text));
  });
}

async function inForce(n) {
  for (const end = performance.now() + 30_000; performance.now() < end; ) {
    if (new RegExp(`^description: n${n}$`, 'm').test(await ask('show info'))) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(
    `HAProxy did not take up configuration ${n}: ${readFileSync(scene.at('haproxy.cfg'), 'utf8')}`,
  );
}

try {
  const port = await freePort();
  const targets = await scene.startServers();
  configure(0, port, targets);
  const { file, env } = programs.haproxy;
  const master = scene.start(file, ['-W', '-f', scene.at('haproxy.cfg')], {
    env,
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await inForce(0);
  const load = await scene.startLoad(port, kept, rate);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const times = [];
  for (let n = 1; n <= reloads; n++) {
    configure(n, port, targets);
    const began = performance.now();
    master.kill('SIGUSR2');
    await inForce(n);
    times.push(performance.now() - began);
    // A signal that comes before the master has settled is lost.
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  console.log(JSON.stringify({ reloads: summary(times), plain: await load.end() }));
} finally {
  scene.close();
}
