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

export interface ServiceSpec {
  name: string;
  displayName: string;
  description: string;
  /** The command line, quoted. */
  binaryPath: string;
  start: 'automatic' | 'delayed' | 'manual';
  account: string;
  /** Milliseconds until each start after a failure. */
  restarts: readonly number[];
  /** Seconds. */
  resetAfter: number;
  /** Milliseconds. */
  preshutdown: number;
}

export interface ServiceState {
  state: 'stopped' | 'starting' | 'stopping' | 'running' | 'paused';
  pid: number | null;
  /** With which it ended the last time; 0 where that was in order. */
  exitCode: number;
}

/** Windows' service control manager. All throw ReeveError: `privilege`, `not-found`, `conflict`, `timeout`. */
export interface ServiceControl {
  /**
   * Runs this process as the service that the manager has started it for; null, with nothing called, where it has not.
   * Resolves with main's exit code once the manager lets go of it. To be called before anything heavy is loaded.
   */
  host(name: string, main: (manager: ServiceManager) => Promise<number>): Promise<number | null>;
  /** Creates it, or brings the one of that name up to date. */
  install(spec: ServiceSpec): 'created' | 'changed' | 'same';
  remove(name: string): void;
  /** Gives the name to entries in the event log, and takes it away again. */
  setEventSource(name: string, wanted: boolean): void;
  /** An entry in the event log. Never throws. */
  report(name: string, kind: 'information' | 'error', text: string): void;
  /** Resolves when it runs, or is stopped. */
  start(name: string, signal: AbortSignal): Promise<void>;
  stop(name: string, signal: AbortSignal): Promise<void>;
  /** PARAMCHANGE: the service reads its configuration again. */
  reload(name: string): void;
  /** Null where there is none. */
  state(name: string): ServiceState | null;
}
