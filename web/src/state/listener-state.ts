// The state of a listener in one word: it listens where every address of it does, and answers a test connection.
import type { ListenerStatus } from './types.ts';

export const stateOf = ({ binds }: Pick<ListenerStatus, 'binds'>): 'listening' | 'down' =>
  binds.every(({ listening, verified }) => listening && verified !== false) ? 'listening' : 'down';
