// What `reeve run` has to tell while its command runs.
import type { CheckResult } from '../core/records.ts';
import type { Listener, Sight } from './run-watch.ts';

export type RunReport =
  /** What must be up before the command starts, and is not yet. */
  | { kind: 'waiting'; urls: string[] }
  /** It was not up in time, and the command is not started. */
  | { kind: 'not-up'; ms: number; results: CheckResult[] }
  /** The name could not have the port that it had before. */
  | { kind: 'moved'; name: string; from: number; port: number; why: string }
  | { kind: 'ready'; listeners: Listener[]; ms: number }
  /** Others have the port too, on another address or beside it. */
  | { kind: 'shared'; port: number; strangers: Listener[] }
  | { kind: 'stranger'; port: number; strangers: Listener[] }
  | { kind: 'elsewhere'; port: number; listeners: Listener[] }
  | { kind: 'late'; port: number; ms: number; sight: Exclude<Sight, { kind: 'elsewhere' }> }
  /** What comes to the port is passed on to where the command listens. */
  | { kind: 'relayed'; port: number; to: Listener; ms: number }
  | { kind: 'lost'; port: number; reason: string }
  /** It cannot be seen here who listens. */
  | { kind: 'blind'; reason: string }
  | { kind: 'ended'; words: string }
  /** The command has ended by itself, and what it left running is ended with it. */
  | { kind: 'swept'; processes: { pid: number; name: string }[] }
  | { kind: 'parked-hint'; port: number }
  /** `entered`: from now on it counts as crash-looping. */
  | { kind: 'restart'; delay: number; reason: string; looping: boolean; entered: boolean }
  /** Not even SIGKILL ended them, or they may not be signalled. */
  | { kind: 'left'; pids: number[] };
