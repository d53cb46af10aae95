// Clients that mean no good: each stays open until it is cut or told to leave; and what they cost the processes they ask.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** What one of them does once it is connected. */
export type Manner = (socket: Socket) => void;

/** Says this, and then nothing. */
export const says =
  (bytes: string | Buffer): Manner =>
  (socket) =>
    void socket.write(bytes);

export const silent: Manner = () => {};

/** How many try to connect at once. */
const atOnce = 100;
/** Milliseconds between two bytes of a client that drips. */
const drip = 250;

export class Crowd implements Disposable {
  private readonly sockets = new Set<Socket>();
  private readonly dripping = new Map<Socket, { bytes: Buffer; at: number }>();
  private readonly timer = setInterval(() => this.dripOnce(), drip);
  private leaving = false;
  private resetting: Promise<unknown> = Promise.resolve();
  /** Of those who reset at once. */
  resets = 0;

  /** Resolves once all are connected. */
  async come(port: number, count: number, manner: Manner): Promise<void> {
    let left = count;
    const one = async () => {
      while (left-- > 0) manner(await this.dial(port));
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
  }

  /** One byte every so often, for ever. */
  drips(bytes: Buffer): Manner {
    return (socket) => void this.dripping.set(socket, { bytes, at: 0 });
  }

  /** Connects and resets, again and again, until they leave. */
  resetAtOnce(ports: readonly number[]): void {
    const one = async (port: number) => {
      while (!this.leaving) {
        const socket = await this.dial(port);
        socket.resetAndDestroy();
        this.resets += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    this.resetting = Promise.all(ports.map(one));
  }

  /** Resolves when none is connected any more. */
  async leave(): Promise<void> {
    this.leaving = true;
    clearInterval(this.timer);
    await this.resetting;
    await Promise.all(
      [...this.sockets].map((socket) => {
        const gone = once(socket, 'close');
        socket.destroy();
        return gone;
      }),
    );
  }

  [Symbol.dispose](): void {
    this.leaving = true;
    clearInterval(this.timer);
    for (const socket of this.sockets) socket.destroy();
  }

  private async dial(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    this.sockets.add(socket);
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.dripping.delete(socket);
    });
    socket.on('error', () => {});
    // What is not read is not noticed either: the ones that do not read pause it.
    socket.resume();
    await once(socket, 'connect');
    return socket;
  }

  private dripOnce(): void {
    for (const [socket, each] of this.dripping) {
      socket.write(each.bytes.subarray(each.at, each.at + 1));
      each.at = (each.at + 1) % each.bytes.length;
    }
  }
}

/** Bytes of memory that are of these processes: what several share is split between them. */
export function memoryOf(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]);
  });
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
}

export function descriptorsOf(pids: readonly number[]): number[] {
  return pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
}
