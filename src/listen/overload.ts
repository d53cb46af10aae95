// Whether this process has nearly run out of descriptors: newcomers are refused then, so that the rest of it stays answerable.
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../core/context.ts';

/** What is left belongs to the API, checks, sinks and files. */
const mark = 0.9;
/** Milliseconds that a count is good for; connections that came meanwhile are added to it. */
const countedFor = 250;
/** A connection and the one to its target. */
const perConnection = 2;

export interface Descriptors {
  limit(): number | null;
  /** Null where the system does not tell. */
  open(): number | null;
}

export class Overload {
  private readonly clock: Clock;
  private readonly descriptors: Descriptors;
  private readonly limit: number | null;
  private counted: number | null = null;
  private countedAt = Number.NEGATIVE_INFINITY;
  private since = 0;

  constructor(clock: Clock, descriptors: Descriptors = ownDescriptors) {
    this.clock = clock;
    this.descriptors = descriptors;
    this.limit = descriptors.limit();
  }

  /** Asked for each that comes. */
  exceeded(): boolean {
    if (this.limit === null) return false;
    const now = this.clock.monotonic();
    if (now - this.countedAt >= countedFor) {
      this.counted = this.descriptors.open();
      this.countedAt = now;
      this.since = 0;
    }
    if (this.counted === null) return false;
    if (this.counted + perConnection * (this.since + 1) > mark * this.limit) return true;
    this.since += 1;
    return false;
  }
}

/** Linux; elsewhere unknown. */
const ownDescriptors: Descriptors = {
  limit() {
    try {
      const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
      return line ? Number(line[1]) : null;
    } catch {
      return null;
    }
  },
  open() {
    try {
      return readdirSync('/proc/self/fd').length;
    } catch {
      return null;
    }
  },
};
