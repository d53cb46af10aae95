// Looks again and again for places that other workers have given up: nobody tells of those.
import type { WaitingRoom } from '../waiting-room.ts';
import type { Loop } from './loop.ts';
import { type Timed, tickMs } from './wheel.ts';

export class Recheck implements Timed {
  due = 0;
  before: Timed | null = null;
  after: Timed | null = null;
  private readonly loop: Loop;
  private readonly room: () => WaitingRoom;

  constructor(loop: Loop, room: () => WaitingRoom) {
    this.loop = loop;
    this.room = room;
  }

  /** Somebody waits, or nobody any more. */
  follow(waiting: number): void {
    if (waiting === 0) this.loop.wheel.cancel(this);
    else if (!this.before) this.loop.wheel.set(this, this.loop.now + tickMs);
  }

  expire(): void {
    this.room().wake();
    this.follow(this.room().waiting);
  }
}
