// Door of config/: the schema's types, reading a file, and comparing two configurations.

export type { ActionConfig, CheckConfig, TargetCheckConfig } from './checks.ts';
export { loadControl } from './control.ts';
export { type ConfigDiff, diffConfig, isUnchanged } from './diff.ts';
export type { BalanceConfig, ConflictConfig, ListenerConfig, SinkConfig } from './listeners.ts';
export { type LoadedConfig, loadConfig } from './load.ts';
export { parseConfig } from './parse.ts';
export { formatProblems } from './problems.ts';
export type { RegisterConfig } from './registry.ts';
export { type Config, configSchema } from './schema.ts';
export type { Condition, ServiceConfig } from './services.ts';
export type { TargetTlsConfig } from './tls.ts';
