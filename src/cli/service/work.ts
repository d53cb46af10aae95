// What each system can do with a service, behind one interface.
import type { ServiceDefinition } from '../../service/index.ts';
import type { Step } from './steps.ts';

export interface ServiceReport {
  name: string;
  installed: boolean;
  /** In the system's own words: `active`, `running`, `stopped`. */
  state: string | null;
  running: boolean;
  pid: number | null;
}

export interface Installer {
  install(definition: ServiceDefinition): Step[];
  uninstall(name: string): Step[];
  /** Resolve when it is so. */
  start(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  reload(name: string): Promise<void>;
  status(name: string): Promise<ServiceReport>;
}

export interface InstallerOptions {
  user: boolean;
  /** Below which everything is written, and nothing is started; null: this machine. */
  root: string | null;
}
