// One connection whose data goes to a sink, frame by frame.
import { createTextFramer, type Frame } from '../listen/index.ts';
import { type DropReason, dropReasons, type Sink } from '../sinks/index.ts';
import type { EndReason } from './engine.ts';
import { Framed } from './framed.ts';

export class IntakeConnection extends Framed<Frame> {
  /** What a client has said is delivered, though it has gone. */
  protected readonly outlivesClient = true;
  private sink: Sink | null = null;
  /** When the newest data came. */
  private time = '';

  protected override arrived(): void {
    this.time = new Date(this.home.wall()).toISOString();
  }

  protected readonly framerOf = createTextFramer;

  protected hand(data: Frame): Promise<void> | undefined {
    const { plan } = this.home;
    this.sequence += 1;
    // The newest sink: a reload may have replaced the one from when the connection came.
    this.sink = plan.sink ?? this.sink;
    return this.sink?.write({
      time: this.time,
      listener: plan.name,
      connection: this.id,
      client: this.clientName,
      sequence: this.sequence,
      data,
    });
  }

  protected failed(): EndReason {
    this.abandoned(1, 'sink-failed');
    return 'sink-failed';
  }

  protected override abandoned(frames: number, reason: EndReason): void {
    if (frames > 0) this.sink?.drop(frames, isDropReason(reason) ? reason : 'error');
  }
}

function isDropReason(reason: string): reason is DropReason {
  return (dropReasons as readonly string[]).includes(reason);
}
