// What connections are balanced over.

/** One place that a connection may be sent to. */
export interface Target {
  /** `host:port`, unique among those that are chosen from. */
  id: string;
  host: string;
  port: number;
  weight: number;
  backup: boolean;
  verdict: 'up' | 'down' | 'unknown';
  /** A draining target keeps its connections and gets no new ones. */
  draining: boolean;
  /** Connections that it may have at once, over all processes; null: any number. */
  max: number | null;
}

export interface TargetCounters {
  id: string;
  active: number;
  total: number;
  failures: number;
}
