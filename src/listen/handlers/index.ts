// Door of handlers/: functions of the user's that answer connections or frames, in threads.
export { handlerDigest } from './digest.ts';
export {
  type HandlerConfig,
  type HandlerCounters,
  HandlerError,
  type HandlerFailure,
  HandlerPool,
} from './pool.ts';
export { type FromThread, type ToThread, windowSize } from './protocol.ts';
export type * from './types.ts';
