// What passes between the control process and a handler's thread.
import type { MessagePort } from 'node:worker_threads';
import type { FrameContext, Sender } from './types.ts';

export type Task =
  | { kind: 'load' }
  | { kind: 'frame'; frame: Uint8Array; context: FrameContext }
  | { kind: 'connection'; port: MessagePort; sender: Sender };

/** To the thread: bytes, their end, that so many were written, that the client is gone, a sign of life asked for. */
export type ToThread = Uint8Array | 'end' | { written: number } | 'gone' | 'ping';
/** From the thread: bytes to write, that so many were read, that the handler is done, a sign of life. */
export type FromThread = Uint8Array | { read: number } | 'done' | 'pong';

/** Bytes that may be under way in one direction before its sender waits. */
export const windowSize = 256 * 1024;
