// Open connections that wait to be used again: so many, for so long, and only those that are still alive.
import type { Socket } from 'node:net';
import type { Clock } from '../core/context.ts';
import type { PoolRules } from './rules.ts';

interface Idle {
  socket: Socket;
  timer: NodeJS.Timeout;
  /** Why it may not be used any more, as soon as that is known. */
  wrong: string | null;
  forget: () => void;
}

export class Sockets {
  private readonly rules: PoolRules;
  private readonly clock: Clock;
  private readonly discarded: (target: string, reason: string) => void;
  private readonly idle = new Map<string, Idle[]>();
  private readonly born = new WeakMap<Socket, number>();

  constructor(rules: PoolRules, clock: Clock, discarded: (target: string, reason: string) => void) {
    this.rules = rules;
    this.clock = clock;
    this.discarded = discarded;
  }

  opened(socket: Socket): void {
    this.born.set(socket, this.clock.monotonic());
  }

  /** The one that was used last, where it is alive; null where there is none. */
  async take(target: string): Promise<Socket | null> {
    for (let one = this.pop(target); one; one = this.pop(target)) {
      // An end or a reset that has arrived already is heard within one turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      one.forget();
      const wrong = one.wrong ?? this.wrongWith(one.socket);
      if (wrong === null) {
        one.socket.ref();
        return one.socket;
      }
      one.socket.destroy();
      this.discarded(target, wrong);
    }
    return null;
  }

  /** It is destroyed where it cannot be used again. */
  put(target: string, socket: Socket): void {
    const list = this.idle.get(target) ?? [];
    if (this.wrongWith(socket) !== null || list.length >= this.rules.max) {
      socket.destroy();
      return;
    }
    const lifeLeft = this.rules.lifetimeMs - this.age(socket);
    const one: Idle = {
      socket,
      wrong: null,
      timer: setTimeout(() => drop('idle'), Math.min(this.rules.idleMs, lifeLeft)),
      forget,
    };
    const drop = (reason: string) => {
      one.wrong ??= reason;
      const at = list.indexOf(one);
      if (at < 0) return;
      list.splice(at, 1);
      if (list.length === 0 && this.idle.get(target) === list) this.idle.delete(target);
      forget();
      socket.on('error', () => {}).destroy();
    };
    const onClose = () => drop('closed by the target');
    const onReadable = () => {
      // Null at the end of the stream: `end` follows.
      if (socket.read() !== null) drop('the target has sent what nobody asked for');
    };
    const onError = (error: Error) => drop(error.message);
    function forget() {
      clearTimeout(one.timer);
      socket.off('close', onClose).off('end', onClose).off('readable', onReadable).off('error', onError);
    }
    one.timer.unref();
    socket.removeAllListeners('data').removeAllListeners('readable');
    // While nobody reads, the end of the stream is not heard either. Unlike one for `data`, a listener for `readable` that is
    // taken off leaves the stream as it was: it flows when the next one listens, and nothing is lost before.
    socket.once('close', onClose).once('end', onClose).on('readable', onReadable).on('error', onError);
    socket.unref();
    list.push(one);
    this.idle.set(target, list);
  }

  get count(): number {
    let count = 0;
    for (const list of this.idle.values()) count += list.length;
    return count;
  }

  keep(targets: ReadonlySet<string>): void {
    for (const target of [...this.idle.keys()]) if (!targets.has(target)) this.clear(target);
  }

  close(): void {
    for (const target of [...this.idle.keys()]) this.clear(target);
  }

  private clear(target: string): void {
    for (let one = this.pop(target); one; one = this.pop(target)) {
      one.forget();
      one.socket.on('error', () => {}).destroy();
    }
  }

  /** Still listened to, so that what is wrong is heard. */
  private pop(target: string): Idle | undefined {
    const list = this.idle.get(target);
    const one = list?.pop();
    if (list?.length === 0) this.idle.delete(target);
    return one;
  }

  private age(socket: Socket): number {
    const now = this.clock.monotonic();
    return now - (this.born.get(socket) ?? now);
  }

  private wrongWith(socket: Socket): string | null {
    if (socket.destroyed || socket.readyState !== 'open') return 'closed by the target';
    if (socket.readableLength > 0) return 'the target has sent what nobody asked for';
    return this.age(socket) >= this.rules.lifetimeMs ? 'too old' : null;
  }
}
