// A request to Consul that is done when the call returns, by a process of its own: for the exit of a process.
import { spawnSync } from 'node:child_process';
import { ReeveError } from '../../core/errors.ts';

export interface RequestNow {
  path: string;
  method: 'PUT';
  body: unknown;
}

export interface ConnectionNow {
  address: string;
  headers: Record<string, string>;
  tls: { ca?: string; cert?: string; key?: string };
}

/** Milliseconds that an exit may be held up. */
const within = 2_000;

const script = `
let text = '';
process.stdin.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', async () => {
  const { address, headers, tls, requests } = JSON.parse(text);
  const { request } = require(address.startsWith('https:') ? 'node:https' : 'node:http');
  for (const { path, method, body } of requests) {
    await new Promise((resolve, reject) => {
      const sent = request(new URL(path, address), { method, headers, agent: false, ...tls }, (answer) => {
        answer.resume().once('end', resolve).once('error', reject);
      });
      sent.once('error', reject).end(JSON.stringify(body));
    });
  }
});`;

/** The script comes without secrets: those go through a pipe, which no list of processes shows. */
export function sendNow(connection: ConnectionNow, requests: RequestNow[]): void {
  if (requests.length === 0) return;
  const { status, error } = spawnSync(process.execPath, ['-e', script], {
    ...{ input: JSON.stringify({ ...connection, requests }), timeout: within, windowsHide: true },
    stdio: ['pipe', 'ignore', 'ignore'],
    // Nothing of this process's own start belongs into that one.
    env: {},
  });
  if (status !== 0) throw new ReeveError('unreachable', error?.message ?? 'Consul does not answer');
}
