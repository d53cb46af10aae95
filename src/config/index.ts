// Door of config/: the schema's types, and reading a file.
export type { BalanceConfig, ConflictConfig, LimitsConfig, ListenerConfig, SinkConfig } from './listeners.ts';
export { type Config, configSchema } from './schema.ts';
export type { CheckConfig, ServiceConfig, TargetCheckConfig } from './services.ts';
