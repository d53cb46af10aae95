// Where services are announced and found: one interface, whatever it is kept in.

/** What is told of one instance of a service. */
export interface Announcement {
  /** The service's name in the registry. */
  service: string;
  /** Unique in the registry; the same instance keeps it. */
  id: string;
  /** Null: the registry's own notion of this machine's address. */
  address: string | null;
  /** The first of `ports`. */
  port: number;
  ports: Readonly<Record<string, number>>;
  tags: readonly string[];
  meta: Readonly<Record<string, string>>;
  /** Null: what `report` says counts. Else the registry looks itself. */
  check: OwnCheck | null;
}

/** How a registry may look by itself. */
export interface OwnCheck {
  url: string;
  intervalMs: number;
  timeoutMs: number;
}

export type Standing = 'pass' | 'warn' | 'fail';

/** One announcement that is kept up, in the background, until it is withdrawn. */
export interface Announced {
  readonly id: string;
  /** Whether it may be used; the reason is shown to people. */
  report(standing: Standing, reason: string): void;
  /** Resolves when the registry has taken it out, or could not be reached in good time. */
  withdraw(): Promise<void>;
}

export interface Query {
  service: string;
  /** All of them must be there. */
  tags?: readonly string[];
  datacenter?: string;
  /** Nearest first: to this node, or `_agent` for the one that is asked. Consul only. */
  near?: string;
  /** Also those that do not pass. */
  all?: boolean;
}

export interface FoundInstance {
  id: string;
  service: string;
  host: string;
  port: number;
  ports: Record<string, number>;
  tags: string[];
  meta: Record<string, string>;
  standing: Standing;
  /** Why, in the words of the checks. */
  reason: string | null;
  node: string | null;
  datacenter: string | null;
}

/** What a watch knows. `asOf` is the wall time (ms) of the last answer, null before the first. */
export interface Found {
  instances: readonly FoundInstance[];
  asOf: number | null;
  /** Why the list may be out of date; null while the registry answers. */
  stale: string | null;
}

export interface Watch {
  readonly query: Query;
  readonly found: Found;
  close(): void;
}

export interface ServiceSummary {
  service: string;
  tags: string[];
}

export type RegistryState = 'ok' | 'connecting' | 'away' | 'refused';

export interface RegistryStatus {
  kind: 'embedded' | 'consul';
  /** Null for embedded. */
  address: string | null;
  state: RegistryState;
  /** Why it is not ok. */
  detail: string | null;
  /** Wall time (ms) of the last change of state. */
  since: number;
  announced: AnnouncedStatus[];
  watches: (Pick<Found, 'asOf' | 'stale'> & { service: string; instances: number })[];
  failures: number;
}

export interface AnnouncedStatus {
  id: string;
  service: string;
  port: number;
  standing: Standing;
  reason: string;
  /** Whether the registry has it as it stands here. */
  inStep: boolean;
}

export interface Registry {
  /** Returns at once. An id that is announced already is replaced. */
  announce(announcement: Announcement): Announced;
  /** Calls back after every change, and when the registry goes away or comes back; first in a later turn. */
  watch(query: Query, changed: (found: Found) => void): Watch;
  /** One answer. @throws ReeveError where the registry gives none. */
  find(query: Query, signal: AbortSignal): Promise<FoundInstance[]>;
  services(signal: AbortSignal): Promise<ServiceSummary[]>;
  status(): RegistryStatus;
  /** Withdraws everything that was announced. */
  close(): Promise<void>;
}
