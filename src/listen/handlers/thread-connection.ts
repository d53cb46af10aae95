// In a handler's thread: one connection, over a message port, no faster in either direction than the other side takes it.
import type { MessagePort } from 'node:worker_threads';
import { bytesOf, isIterable } from './answer.ts';
import { type FromThread, type ToThread, windowSize } from './protocol.ts';
import type { HandledConnection, Handler, Sender } from './types.ts';

export async function serveConnection(handler: Handler, port: MessagePort, sender: Sender): Promise<void> {
  const connection = new PortConnection(port, sender);
  try {
    const answer = handler(connection);
    if (isIterable(answer)) {
      for await (const each of answer) await connection.send(bytesOf(each));
    } else {
      await connection.send(bytesOf(await answer));
    }
    connection.post('done');
  } catch (error) {
    // Who was cut off by its client has not failed.
    if (!connection.signal.aborted) throw error;
  }
}

class PortConnection implements HandledConnection {
  readonly listener: string;
  readonly client: string;
  readonly connection: string;
  private readonly port: MessagePort;
  private readonly gone = new AbortController();
  private readonly chunks: Buffer[] = [];
  private ended = false;
  private outstanding = 0;
  private reader: (() => void) | null = null;
  private writers: (() => void)[] = [];

  constructor(port: MessagePort, { listener, client, connection }: Sender) {
    this.listener = listener;
    this.client = client;
    this.connection = connection;
    this.port = port;
    port.on('message', (message: ToThread) => this.take(message));
    port.on('close', () => this.take('gone'));
  }

  get signal(): AbortSignal {
    return this.gone.signal;
  }

  async write(data: string | Uint8Array): Promise<void> {
    await this.send(bytesOf(data));
  }

  async send(bytes: Uint8Array | null): Promise<void> {
    if (!bytes || bytes.length === 0) return;
    if (this.signal.aborted) throw new Error('the connection is gone');
    this.outstanding += bytes.length;
    this.post(bytes);
    while (this.outstanding > windowSize) {
      await new Promise<void>((resolve) => this.writers.push(resolve));
      if (this.signal.aborted) throw new Error('the connection is gone');
    }
  }

  post(message: FromThread): void {
    this.port.postMessage(message);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.chunks.shift();
      if (chunk) {
        this.post({ read: chunk.length });
        yield chunk;
      } else if (this.signal.aborted) {
        throw new Error('the connection is gone');
      } else if (this.ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.reader = resolve;
        });
        this.reader = null;
      }
    }
  }

  private take(message: ToThread): void {
    if (message instanceof Uint8Array) {
      this.chunks.push(Buffer.from(message.buffer, message.byteOffset, message.length));
    } else if (message === 'ping') this.post('pong');
    else if (message === 'end') this.ended = true;
    else if (message === 'gone') this.gone.abort();
    else this.outstanding -= message.written;
    this.reader?.();
    for (const resolve of this.writers.splice(0)) resolve();
  }
}
