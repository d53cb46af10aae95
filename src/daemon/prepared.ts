// A change in two steps: everything that may fail happens first, so that a failure leaves all as it was.
export interface Prepared {
  /** Makes it so. Cannot fail. */
  commit(): Committed;
  /** Takes it back; nothing has changed. */
  abandon(): Promise<void>;
}

export interface Committed {
  /** Lets go of what is not needed any more; resolves when it has ended. */
  retire(): Promise<void>;
}
