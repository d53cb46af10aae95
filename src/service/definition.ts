// What is made a service of the operating system, whatever the system: the words that every renderer puts in its own form.

/** `supervise` runs services; `inspect` only listeners, checks and sinks, and is shut in far more. */
export type Profile = 'supervise' | 'inspect';

export interface ServiceDefinition {
  /** Of the unit, the account and the state directory. */
  name: string;
  description: string;
  /** Absolute paths as the service's own system writes them. */
  node: string;
  script: string;
  configFile: string;
  /** The state directory, unless the configuration names one. */
  state: string;
  profile: Profile;
  /** Of one user rather than of the machine. */
  user: boolean;
  /** With the machine; `delayed` two minutes after the others (Windows). */
  start: 'automatic' | 'delayed' | 'manual';
}

export const profiles: readonly Profile[] = ['supervise', 'inspect'];

/** What all three systems accept for a name, and what no shell, path or unit file reads as anything else. */
export const serviceName = /^[a-z][a-z0-9-]{0,30}$/;

/** Milliseconds in which the daemon drains and stops its services; then the system ends it. */
export const stopWithin = 90_000;
