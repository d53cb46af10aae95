// Door of relay/: engines that pass bytes, and the decisions that they share.
export type * from './engine.ts';
export { datagramDrops } from './engine.ts';
export { nativeObstacle, workerFile } from './native/available.ts';
export { createNativeEngine, type NativeEngine } from './native/engine.ts';
export type { WorkerLoad } from './native/load.ts';
export { createPortableEngine } from './portable.ts';
