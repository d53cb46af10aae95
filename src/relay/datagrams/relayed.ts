// One client whose datagrams go to a target, and the target's to it. One that is not there is left for the next.
import type { DatagramDrop, EndReason } from '../engine.ts';
import { ByteBudget } from './byte-budget.ts';
import { dropOf, Session, sessionBytes } from './session.ts';
import { Upstream } from './upstream.ts';

/** This machine has no more of something: no target is to blame. */
const ownCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN']);

export class RelayedSession extends Session {
  private upstream: Upstream | null = null;
  private readonly toTarget = new ByteBudget(sessionBytes, this.home.budget);
  private readonly toClient = new ByteBudget(sessionBytes, this.home.budget);
  /** Those that failed since one answered: the others go first. */
  private readonly tried = new Set<string>();
  private answered = false;
  private lack: DatagramDrop = 'no-target';
  private failure: string | null = null;

  protected take(datagram: Buffer): void {
    this.upstream ??= this.connect();
    const { upstream } = this;
    const { length } = datagram;
    if (!upstream) {
      this.drop(this.lack);
    } else if (!this.toTarget.take(length)) {
      this.drop('backlog');
    } else {
      upstream.send(datagram, (error) => {
        this.toTarget.give(length);
        if (error) this.drop(dropOf(error) ?? 'target-failed');
      });
    }
  }

  protected letGo(): void {
    const { upstream } = this;
    if (!upstream) return;
    this.upstream = null;
    upstream.close();
    this.home.picker.leave(upstream.target.id);
  }

  protected override idleEnd(): [EndReason, string | null] {
    if (this.upstream) return ['idle', null];
    if (this.failure !== null) return ['connect-failed', this.failure];
    return [this.lack === 'target-full' ? 'queue-full' : 'no-target', null];
  }

  private connect(): Upstream | null {
    const { picker, plan } = this.home;
    let target = picker.take(this.tried.size > 0 ? this.tried : null, this.address);
    if (target === null && this.tried.size > 0) {
      // All have failed: from the front, for one may be back.
      this.tried.clear();
      target = picker.take(null, this.address);
    }
    if (target === null || target === 'full') {
      this.lack = target === null ? 'no-target' : 'target-full';
      return null;
    }
    this.target = target.id;
    this.answered = false;
    const upstream = new Upstream(target, plan.config.balance?.connectTimeout ?? 5000, {
      heard: (datagram) => this.fromTarget(datagram),
      failed: (code) => this.targetFailed(upstream, code),
    });
    return upstream;
  }

  private fromTarget(datagram: Buffer): void {
    const { reports, plan } = this.home;
    if (!this.answered) {
      this.answered = true;
      this.tried.clear();
      this.failure = null;
      this.connectMs ??= this.home.now() - this.startedAt;
      reports.targetTook(plan.name, this.target!);
    }
    this.answer(datagram, this.toClient);
  }

  private targetFailed({ target }: Upstream, code: string): void {
    const { picker, reports, plan } = this.home;
    if (this.over) return;
    this.upstream = null;
    this.target = null;
    if (ownCodes.has(code)) {
      picker.leave(target.id);
      this.stop('error', code);
      return;
    }
    this.retries += 1;
    this.failure = `${target.id}: ${code}`;
    this.tried.add(target.id);
    picker.leave(target.id, true);
    reports.targetFailed(plan.name, target.id, code);
  }
}
