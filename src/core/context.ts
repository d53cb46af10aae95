// What the rest is handed instead of reaching for it: time, chance, and somewhere to tell what happened.

/** `monotonic` never jumps and serves durations; `wall` is for showing a person. Both in milliseconds. */
export interface Clock {
  monotonic(): number;
  wall(): number;
}

/** The part of pino's interface that is used here. */
export interface Log {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  /** Absent: whatever is told may be kept. */
  isLevelEnabled?(level: string): boolean;
}

/** One thing that changed. `subject` names it by kind and name (`service/user-api/0`, `listener/web`). */
export interface ReeveEvent {
  kind: EventKind;
  subject: string;
  message: string;
  detail: Record<string, unknown>;
}

export const eventKinds = [
  'daemon',
  'listener',
  'conflict',
  'instance',
  'restart',
  'health',
  'action',
  'target',
  'sink',
  'registry',
  'certificate',
  'config',
] as const;

export type EventKind = (typeof eventKinds)[number];

export type Emit = (event: ReeveEvent) => void;

export interface Context {
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
  emit: Emit;
}

export const systemClock: Clock = { monotonic: () => performance.now(), wall: () => Date.now() };

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
