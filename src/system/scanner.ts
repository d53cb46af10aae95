// Asking many ports of one address whether anyone is there: what each platform's fast path looks like from outside.

/** `filtered` as an answer: something on the way said that the port cannot be reached. */
export type PortAnswer = 'open' | 'closed' | 'filtered';

export interface ScanTarget {
  /** An address literal, with a zone where it needs one. */
  address: string;
  /** It is one of this machine's own: answers come at once, and the scan's own sockets can meet each other. */
  local: boolean;
  /** At most this many ports unanswered at once. */
  capacity: number;
}

/**
 * Never blocks. Used from one loop: ask until told to stop, collect, wait. What has not answered is for the caller
 * to give up on, by `forget`.
 */
export interface Prober {
  /** `asked`: the answer comes by `collect`. `full`: nothing was sent for want of descriptors or ports; ask later. */
  ask(port: number): PortAnswer | 'asked' | 'full';
  /**
   * Sends what is still in a batch, and tells what has come since the last time. `full` is a probe that turned out
   * not to have been sent.
   */
  collect(heard: (port: number, answer: PortAnswer | 'full') => void): void;
  forget(port: number): void;
  /** Resolves when there may be something to collect, when `ms` are over or when the signal aborts. Never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface Scanner {
  /** Null where the platform has nothing faster than Node's own sockets. @throws OsError */
  connect(target: ScanTarget): Prober | null;
  /** Half-open: SYN packets that the kernel never completes. @throws ReeveError `privilege`, `unsupported` */
  syn(target: ScanTarget): Prober;
}
