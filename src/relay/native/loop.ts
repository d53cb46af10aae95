// One epoll loop: descriptors to those who watch them, time, and work that was put off for fairness.
import { checked, epoll, epollEvent, errno, errorNumber, linux, nativeMemory } from '../../ffi/index.ts';
import { Wheel } from './wheel.ts';

/** Whoever wants to know what happens on a descriptor. */
export interface Watcher {
  ready(events: number): void;
  /** Goes on with what `later` put off. */
  resume(): void;
}

const maxEvents = 512;
/** In 32-bit words. */
const words = epollEvent.size / 4;
const dataAt = epollEvent.dataAt / 4;
const longestWaitMs = 60_000;

export class Loop {
  /** Monotonic milliseconds, read once a turn. */
  now = performance.now();
  readonly wheel = new Wheel(this.now);
  /** Called at the end of every turn; returns how long the loop may sleep, in milliseconds. */
  afterTurn: () => number = () => longestWaitMs;
  private readonly fd = checked('epoll_create1', epoll.epoll_create1(linux.SOCK_CLOEXEC));
  private readonly memory = nativeMemory(maxEvents * words * 4);
  private readonly events = new Uint32Array(this.memory.bytes.buffer, 0, maxEvents * words);
  private readonly one = nativeMemory(words * 4);
  private readonly event = new Uint32Array(this.one.bytes.buffer, 0, words);
  /** By descriptor. A number is reused as soon as it is closed, so each use has its own generation. */
  private readonly watchers: (Watcher | undefined)[] = [];
  private readonly generations: number[] = [];
  private late: Watcher[] = [];
  /** Events of the last turn. */
  private count = 0;
  private running = false;

  /** @throws OsError. */
  watch(fd: number, events: number, watcher: Watcher): void {
    while (this.generations.length <= fd) {
      this.generations.push(0);
      this.watchers.push(undefined);
    }
    const generation = (this.generations[fd]! + 1) >>> 0;
    this.generations[fd] = generation;
    this.watchers[fd] = watcher;
    this.event[0] = events;
    this.event[dataAt] = fd;
    this.event[dataAt + 1] = generation;
    checked('epoll_ctl', epoll.epoll_ctl(this.fd, linux.EPOLL_CTL_ADD, fd, this.one.pointer));
  }

  /** For a descriptor that stays open. */
  unwatch(fd: number): void {
    this.watchers[fd] = undefined;
    epoll.epoll_ctl(this.fd, linux.EPOLL_CTL_DEL, fd, this.one.pointer);
  }

  /** The kernel forgets a descriptor that is closed by itself (nobody else has these open). */
  close(fd: number): void {
    this.watchers[fd] = undefined;
    epoll.close(fd);
  }

  /** Has `watcher.resume` called in the next turn, after everybody else had theirs. */
  later(watcher: Watcher): void {
    this.late.push(watcher);
  }

  run(): void {
    this.running = true;
    while (this.running) this.turn();
  }

  stop(): void {
    this.running = false;
  }

  private turn(): void {
    const longest = this.afterTurn();
    // After a busy turn a look without sleeping first: under load the next events are there already, or nearly.
    const busy = this.late.length > 0 || this.count > 0;
    const wait = busy ? 0 : this.wheel.wait(this.now, longest);
    const count = epoll.epoll_wait(this.fd, this.memory.pointer, maxEvents, Math.ceil(wait));
    if (count < 0 && errno() !== errorNumber.EINTR) checked('epoll_wait', count);
    this.count = count;
    this.now = performance.now();
    const { events, watchers, generations } = this;
    for (let i = 0; i < count; i++) {
      const at = i * words;
      const fd = events[at + dataAt]!;
      if (generations[fd] === events[at + dataAt + 1]) watchers[fd]?.ready(events[at]!);
    }
    if (this.late.length > 0) {
      const late = this.late;
      this.late = [];
      for (const watcher of late) watcher.resume();
    }
    this.wheel.advance(this.now);
  }
}
