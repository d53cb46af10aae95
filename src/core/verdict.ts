// Three-valued answers: what is not known is said to be unknown.

/** `refused`: nobody has it, yet the system will not give it to this caller. */
export type PortVerdict = 'free' | 'held' | 'refused' | 'unknown';

export type HealthVerdict = 'up' | 'down' | 'unknown';
