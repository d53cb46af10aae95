// Door of sinks/: where received data goes.
export { openFile, type Rotation } from './file.ts';
export type { Destination } from './line-queue.ts';
export { openSink, type SinkConfig } from './open.ts';
export type * from './sink.ts';
