// One client whose datagrams go to a sink, each as one record. What the sink has no room for in time is dropped, and counted.
import { errorMessage } from '../../core/errors.ts';
import type { DropReason } from '../../sinks/index.ts';
import { connectionId } from '../connection-id.ts';
import type { DatagramDrop } from '../engine.ts';
import { ByteBudget } from './byte-budget.ts';
import { Session, sessionBytes } from './session.ts';

export class RecordedSession extends Session {
  private readonly id = connectionId();
  private readonly toSink = new ByteBudget(sessionBytes, this.home.budget);
  private sequence = 0;

  protected take(data: Buffer): void {
    const { plan } = this.home;
    const sink = plan.sink!;
    const lose = (reason: DatagramDrop & DropReason) => {
      this.drop(reason);
      sink.drop(1, reason);
    };
    this.sequence += 1;
    if (data.length > plan.config.limits.frame) {
      lose('too-large');
      return;
    }
    if (!this.toSink.take(data.length)) {
      lose('backlog');
      return;
    }
    const taken = sink.write({
      time: new Date(this.home.wall()).toISOString(),
      listener: plan.name,
      connection: this.id,
      client: this.clientName,
      sequence: this.sequence,
      data,
    });
    if (!taken) {
      this.toSink.give(data.length);
      return;
    }
    taken.then(
      () => this.toSink.give(data.length),
      (error) => {
        this.toSink.give(data.length);
        lose('sink-failed');
        this.stop('sink-failed', errorMessage(error));
      },
    );
  }

  protected letGo(): void {}
}
