// A small HTTP service: answers with who it is, and tells at /healthz that it is well.
import { createServer } from 'node:http';

const { PORT } = process.env;

const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('well\n');
  response.end(`hello from port ${PORT}, PID ${process.pid}\n`);
});
server.listen(Number(PORT), '127.0.0.1');

// No new connections; the answers that are under way are finished.
process.on('SIGTERM', () => server.close(() => process.exit(0)));
