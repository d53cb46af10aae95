// A process that finds five free ports by trying random ones, TCP and UDP, as portpicker does without its server.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** portpicker's own range: below the ephemeral one. */
const [first, last] = [15_000, 24_999];

function bindTcp(port) {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

function bindUdp(port) {
  return new Promise((resolve) => {
    const socket = createSocket('udp6').once('error', () => resolve(false));
    socket.bind(port, () => socket.close(() => resolve(true)));
  });
}

async function pick() {
  for (;;) {
    const port = first + Math.floor(Math.random() * (last - first + 1));
    if ((await bindTcp(port)) && (await bindUdp(port))) return port;
  }
}

process.on('message', async (message) => {
  if (message === 'stop') return process.disconnect();
  const ports = [];
  for (let i = 0; i < 5; i++) ports.push(await pick());
  process.send({ kind: 'ports', ports });
});
process.send({ kind: 'ready' });
