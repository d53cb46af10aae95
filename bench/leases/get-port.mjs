// A process that asks get-port for five ports whenever it is told to.
import getPort from 'get-port';

process.on('message', async (message) => {
  if (message === 'stop') return process.disconnect();
  const ports = [];
  for (let i = 0; i < 5; i++) ports.push(await getPort());
  process.send({ kind: 'ports', ports });
});
process.send({ kind: 'ready' });
