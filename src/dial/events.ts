// What a dialler tells while it works, by name.

export interface DialEvents {
  /** An attempt has failed, and another follows after `delayMs`. */
  retry: { target: string; attempt: number; reason: string; delayMs: number };
  /** The target is not asked for so long. */
  open: { target: string; forMs: number };
  /** One call is let through to see whether it is well again. */
  'half-open': { target: string };
  closed: { target: string };
  /** The call has failed, and this stood in for an answer. */
  fallback: { key: string; from: 'cache' | 'default'; reason: string };
  'queue-timeout': { what: string; timeoutMs: number };
  'queue-full': { what: string; size: number };
  /** An open connection was found dead or too old when it was to be used again. */
  discard: { target: string; reason: string };
  /** The registry names others than before. */
  targets: { targets: string[] };
}

export type DialEvent = keyof DialEvents;

export type Tell = <Name extends DialEvent>(event: Name, detail: DialEvents[Name]) => void;
