// The service: answers after 10 ms with the host that it runs on and its PID.
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('well\n');
  setTimeout(() => response.end(`${hostname()} ${process.pid}\n`), 10);
});
server.listen(Number(process.env.PORT), '0.0.0.0');
process.on('SIGTERM', () => server.close(() => process.exit(0)));
