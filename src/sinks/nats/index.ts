// Door of nats/: loaded only where a sink asks for it, since the client is large.
export { NatsDestination, natsLabels } from './destination.ts';
export { covers, type NatsOptions } from './link.ts';
export { Spool } from './spool.ts';
