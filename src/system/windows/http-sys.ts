// The URLs that programs have registered with http.sys, the web server in Windows' kernel, by port.
import { type HttpQueue, parseServiceState, parseUrlReservations, portOfUrl } from './netsh.ts';
import { netsh } from './run-netsh.ts';

export interface HttpQueues {
  /** In words: each URL on this port, with the PIDs behind it, or who has it reserved. */
  on(port: number): Promise<string[]>;
}

const keptMs = 2000;

export function createHttpQueues(now: () => number, run = netsh): HttpQueues {
  let asked: Promise<{ queues: HttpQueue[]; reserved: string[] }> | null = null;
  let askedAt = 0;
  const ask = async () => {
    const [state, acl] = await Promise.all([
      run('http', 'show', 'servicestate', 'view=requestq'),
      run('http', 'show', 'urlacl'),
    ]);
    return { queues: parseServiceState(state), reserved: parseUrlReservations(acl) };
  };
  return {
    async on(port) {
      if (!asked || now() - askedAt > keptMs) {
        asked = ask();
        askedAt = now();
      }
      const { queues, reserved } = await asked;
      return describeUrls(port, queues, reserved);
    },
  };
}

export function describeUrls(port: number, queues: HttpQueue[], reserved: string[]): string[] {
  const registered = queues.flatMap(({ urls, pids }) =>
    urls
      .filter((url) => portOfUrl(url) === port)
      .map((url) => (pids.length > 0 ? `${url} (PID ${pids.join(', ')})` : url)),
  );
  if (registered.length > 0) return [...new Set(registered)];
  return reserved.filter((url) => portOfUrl(url) === port).map((url) => `${url} (reserved)`);
}
