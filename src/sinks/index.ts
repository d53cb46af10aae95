// Door of sinks/: where received data goes.
export { openFile } from './file.ts';
export type { Destination } from './line-queue.ts';
export { openSink, type SinkConfig, type SinkPlace } from './open.ts';
export { lineEncoder } from './record-line.ts';
export type { Rotation } from './rotate.ts';
export { type DropReason, dropReasons, type Sink, type SinkCounters, type SinkRecord } from './sink.ts';
