// unix:/path: a socket in the file system that accepts is up; with send or expect, what it says decides.
import { connect, type Socket } from 'node:net';
import { errorCode, errorMessage } from '../core/errors.ts';
import type { ProbeUrl } from '../core/probe-url.ts';
import { printable } from '../core/text.ts';
import { type Attempt, fail, ProbeFailure } from './outcome.ts';
import { settled } from './settled.ts';
import { converse } from './tcp.ts';

export async function probeUnix({ rest: path }: ProbeUrl, attempt: Attempt, signal: AbortSignal) {
  attempt.phase = 'connecting';
  const socket = connect({ path });
  // Also what comes once the answer is known.
  socket.on('error', () => {});
  const shown = printable(path);
  try {
    await settled<Socket>(signal, ({ resolve, reject }) => {
      socket.once('connect', () => resolve(socket));
      socket.once('error', (error) => reject(failure(error, shown)));
    });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return converse(socket, shown, attempt, signal);
}

function failure(error: Error, path: string): ProbeFailure {
  const code = errorCode(error) ?? '';
  if (code === 'ENOENT') return fail('unreachable', `there is no socket ${path}`);
  if (code === 'ECONNREFUSED') return fail('refused', `nobody listens on ${path}`);
  if (code === 'ENOTSOCK') return fail('unreachable', `${path} is not a socket`);
  if (code === 'EACCES' || code === 'EPERM') {
    const detail = `this user may not connect to ${path}`;
    return new ProbeFailure({ verdict: 'unknown', reason: 'local', detail });
  }
  return fail('protocol', `${printable(errorMessage(error)).slice(0, 200)} (${path})`);
}
