// Managers of processes: systemd, the service control manager, container runtimes.

/** Those who would restart a process that was merely killed. */
export interface Managers {
  /**
   * A systemd unit or a Windows service.
   * @throws ReeveError `unsupported` where there is no such manager, `privilege`, `timeout`, or `conflict` with its words.
   */
  stopUnit(unit: string, signal: AbortSignal): Promise<void>;
  stopContainer(id: string, signal: AbortSignal): Promise<void>;
  /** The command line that does the same, to show in a plan. */
  stopUnitCommand(unit: string): string;
  stopContainerCommand(id: string): string;
}
