// Running something with all rights, as each platform has it.

/** Running something with all rights. */
export interface Elevation {
  /** Whether this process has them: root, an elevated administrator. */
  has(): boolean;
  /** What a person types to run this program with them, and where. */
  words(program: readonly string[]): string;
  /**
   * Asks the person at the desktop, then runs it to its end. Null where nobody can be asked, or they said no.
   * @throws ReeveError `aborted`, `timeout`; the program may then go on.
   */
  run(program: readonly string[], signal: AbortSignal): Promise<ElevatedRun | null>;
}

export interface ElevatedRun {
  code: number;
  stdout: string;
  stderr: string;
}
