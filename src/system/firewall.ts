// What a firewall says of one listener.

export interface FirewallAnswer {
  /** `missing`: no rule names it, and what no rule allows is blocked. */
  verdict: 'allowed' | 'blocked' | 'missing' | 'off';
  /** What changes that; null where nothing need be done. */
  command: string | null;
}
