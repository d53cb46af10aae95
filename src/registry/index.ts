// Door of registry/: announcing and finding services, in the daemon itself or in Consul.
export { type ConsulRegistryOptions, createConsulRegistry } from './consul.ts';
export { createEmbeddedRegistry } from './embedded.ts';
export { openRegistry } from './open.ts';
export type {
  Announced,
  Announcement,
  Found,
  FoundInstance,
  Query,
  Registry,
  RegistryStatus,
  ServiceSummary,
  Standing,
  Watch,
} from './registry.ts';
