// A command on its way to being started.

export interface Startable {
  program: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The arguments are quoted already (`windowsVerbatimArguments`). */
  verbatim?: boolean;
}
