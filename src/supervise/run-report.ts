// What `reeve run` has to tell while its command runs.
import type { Listener, Sight } from './run-watch.ts';

export type RunReport =
  | { kind: 'ready'; listeners: Listener[]; ms: number }
  /** Others have the port too, on another address or beside it. */
  | { kind: 'shared'; port: number; strangers: Listener[] }
  | { kind: 'stranger'; port: number; strangers: Listener[] }
  | { kind: 'elsewhere'; port: number; listeners: Listener[] }
  | { kind: 'late'; port: number; ms: number; sight: Sight }
  /** What comes to the port is passed on to where the command listens. */
  | { kind: 'relayed'; port: number; to: Listener; ms: number }
  | { kind: 'lost'; port: number; reason: string }
  /** It cannot be seen here who listens. */
  | { kind: 'blind'; reason: string }
  | { kind: 'ended'; words: string }
  | { kind: 'parked-hint'; port: number }
  /** `entered`: from now on it counts as crash-looping. */
  | { kind: 'restart'; delay: number; reason: string; looping: boolean; entered: boolean }
  /** Not even SIGKILL ended them, or they may not be signalled. */
  | { kind: 'left'; pids: number[] };
