// The program of a relay worker: one process, one thread, one epoll loop. It never enters Node's own event loop.
import { systemClock } from '../../core/context.ts';
import { epoll, linux, nativeMemory } from '../../ffi/index.ts';
import type { Connection } from './connection.ts';
import { Control } from './control.ts';
import { Handing } from './handing.ts';
import { IntakeListener } from './intake-listener.ts';
import { WorkerListener } from './listener.ts';
import { Loop } from './loop.ts';
import { Outbox } from './outbox.ts';
import { Plane } from './plane.ts';
import { type Command, type News, protocolVersion } from './protocol.ts';
import { SharedCounts } from './shared-counts.ts';
import { decodeSockaddr, sockaddrSize } from './sockaddr.ts';

/** Reports follow each other no faster; the first after a silence goes out at once. */
const reportEveryMs = 50;
const longestSleepMs = 60_000;
/** SIGHUP, SIGINT, SIGTERM are for the control process, which ends its workers when it is their time. */
const signals = [1, 2, 15];

class Worker {
  private readonly loop = new Loop();
  private readonly plane = new Plane(this.loop);
  private readonly handing = new Handing(3);
  private readonly control = new Control(this.loop, (command) => this.obey(command));
  private readonly listeners = new Map<number, WorkerListener | IntakeListener>();
  private readonly intakes = new Map<number, IntakeListener>();
  private readonly free: Connection[] = [];
  private changed = false;
  private reportedAt = Number.NEGATIVE_INFINITY;
  private drained: number[] = [];
  private crowded = false;

  run(): void {
    // A group of its own: a terminal's signals are for the control process. No session of its own: the kernel's
    // scheduler takes each session for a group (CONFIG_SCHED_AUTOGROUP), and who is woken in another one waits longer.
    epoll.setpgid(0, 0);
    for (const number of signals) epoll.signal(number, linux.SIG_IGN);
    this.loop.afterTurn = () => Math.min(this.flush(), this.report());
    this.control.tell({ is: 'ready', version: protocolVersion });
    this.loop.run();
  }

  private obey(command: Command): void {
    if (command.do === 'serve') {
      const { id, plan, place } = command;
      const sockets = this.descriptors(command.sockets);
      if (plan.intake) {
        const listener = new IntakeListener(id, plan, sockets, place, this.surroundings);
        this.listeners.set(id, listener);
        this.intakes.set(id, listener);
      } else this.listeners.set(id, new WorkerListener(id, plan, sockets, place, this.surroundings));
    } else if (command.do === 'adopt') {
      for (const fd of this.descriptors(command.connections)) this.adopt(command.id, fd);
    } else if (command.do === 'update') {
      this.listeners.get(command.id)?.update(command.plan);
    } else if (command.do === 'end') {
      this.listeners.get(command.id)?.end(command.target, command.reason);
    } else if (command.do === 'drain') {
      this.listeners.get(command.id)?.drain(command.deadlineMs);
    } else if (command.do === 'taken') {
      this.intakes.get(command.id)?.taken(command.number, command.failed);
    }
  }

  /** @throws Error where they have not come: then this worker is of no use, and another takes its place. */
  private descriptors(count: number): number[] {
    return Array.from({ length: count }, () => {
      const fd = this.handing.receive();
      if (fd === null) throw new Error('a descriptor that a command speaks of has not come');
      return fd;
    });
  }

  private adopt(id: number, fd: number): void {
    const peer = nativeMemory(sockaddrSize + 4);
    new Int32Array(peer.bytes.buffer, sockaddrSize, 1)[0] = sockaddrSize;
    const known = epoll.getpeername(fd, peer.pointer, peer.pointer + BigInt(sockaddrSize)) === 0;
    const from = known ? decodeSockaddr(peer.bytes) : null;
    peer.free();
    const listener = this.listeners.get(id);
    if (from && listener) listener.accept(fd, from);
    else epoll.close(fd);
  }

  private readonly surroundings = {
    plane: this.plane,
    clock: systemClock,
    counts: new SharedCounts(4),
    free: this.free,
    outbox: new Outbox(this.loop, 5),
    changed: () => {
      this.changed = true;
    },
    drained: (id: number) => {
      this.drained.push(id);
      this.changed = true;
    },
    roomAgain: () => {
      this.crowded = true;
    },
  };

  /** Sends records to the control process; returns how long the loop may sleep before more is due. */
  private flush(): number {
    let longest = longestSleepMs;
    for (const intake of this.intakes.values()) longest = Math.min(longest, intake.flush(this.loop.now));
    return longest;
  }

  /** At the end of every turn; returns how long the loop may sleep. */
  private report(): number {
    if (this.crowded) {
      this.crowded = false;
      for (const listener of this.listeners.values()) listener.roomAgain();
    }
    if (!this.changed) return longestSleepMs;
    const left = this.reportedAt + reportEveryMs - this.loop.now;
    if (left > 0) return left;
    if (!this.control.free) return longestSleepMs;
    this.reportedAt = this.loop.now;
    this.changed = false;
    const news: News[] = [];
    for (const listener of this.listeners.values()) {
      const latest = listener.news.take();
      if (latest) news.push(latest);
    }
    if (news.length > 0) this.control.tell({ is: 'news', listeners: news });
    for (const id of this.drained.splice(0)) {
      this.listeners.delete(id);
      this.intakes.delete(id);
      this.control.tell({ is: 'drained', id });
    }
    return longestSleepMs;
  }
}

new Worker().run();
process.exit(0);
