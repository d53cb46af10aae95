// Door of sinks/: where received data goes.
export { openSink, type SinkConfig } from './open.ts';
export type * from './sink.ts';
