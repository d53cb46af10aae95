// Door of core/: words and pure rules. Records (which load zod) are imported from records.ts by type alone.
export * from './address.ts';
export * from './backoff.ts';
export * from './context.ts';
export * from './endpoint.ts';
export * from './errors.ts';
export * from './health.ts';
export * from './nearest.ts';
export * from './quantity.ts';
export * from './range.ts';
export * from './text.ts';
export * from './time.ts';
export * from './verdict.ts';
