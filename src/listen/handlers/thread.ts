// The program of a handler's thread: loads the handler once, then calls it.
import { Console } from 'node:console';
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { workerData } from 'piscina';
import { bytesOf, isIterable } from './answer.ts';
import type { Task } from './protocol.ts';
import { serveConnection } from './thread-connection.ts';
import type { Answer, FrameHandler, Handler } from './types.ts';

/** Bytes that may be answered to one frame. */
const longestAnswer = 16 * 1024 * 1024;

// Standard output belongs to the daemon: a sink may write there.
globalThis.console = new Console(process.stderr);
register('./handler-hooks.js', import.meta.url);
const file = workerData as string;
const loaded = import(pathToFileURL(file).href) as Promise<{ default?: unknown }>;
// Told to whoever asks first.
loaded.catch(() => {});

export default async function run(task: Task): Promise<unknown> {
  const { default: handler } = await loaded;
  if (typeof handler !== 'function') throw new Error(`${file} has no function as its default export`);
  if (task.kind === 'load') return null;
  if (task.kind === 'connection') return serveConnection(handler as Handler, task.port, task.sender);
  const { buffer, byteOffset, length } = task.frame;
  const answer = (handler as FrameHandler)(Buffer.from(buffer, byteOffset, length), task.context);
  return isIterable(answer) ? gather(answer) : bytesOf(await answer);
}

async function gather(answers: AsyncIterable<Answer>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const answer of answers) {
    const piece = bytesOf(answer);
    if (!piece) continue;
    length += piece.length;
    if (length > longestAnswer) throw new Error(`an answer of more than ${longestAnswer} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
