// Whoever runs this process as a service of the operating system (systemd, Windows): what it is told, and what it asks.

export interface ServiceManager {
  /** Milliseconds within which it wants a sign of life, again and again; null: none. */
  readonly watchdog: number | null;
  /** It may take longer than agreed until `ready`; told now and then. */
  starting(): void;
  /** After the start, and after a reload. */
  ready(words: string): void;
  reloading(): void;
  stopping(words: string): void;
  alive(): void;
  /** That another process carries on from here, which must be a child of this one. */
  mainProcess(pid: number): void;
  /** Calls back where it asks by other ways than signals. */
  asks(answer: (what: 'stop' | 'reload') => void): void;
}

/** A listening socket that the manager has opened (socket activation). */
export interface InheritedSocket {
  readonly fd: number;
  /** FileDescriptorName= of the socket unit. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}
