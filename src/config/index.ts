// Door of config/: the schema's types, reading a file, and comparing two configurations.

export type { ActionConfig, CheckConfig, HealthConfig, TargetCheckConfig } from './checks.ts';
export { type ControlPlace, loadControl } from './control.ts';
export { type ConfigDiff, diffConfig, isUnchanged, type NameChanges, type RestartSection } from './diff.ts';
export type { BalanceConfig, ConflictConfig, LimitsConfig, ListenerConfig, SinkConfig } from './listeners.ts';
export { type LoadedConfig, loadConfig } from './load.ts';
export { type ParseOptions, parseConfig } from './parse.ts';
export { type ConfigProblem, formatProblems } from './problems.ts';
export type { ConsulConfig, RegisterConfig, RegistryConfig } from './registry.ts';
export { type Config, configSchema } from './schema.ts';
export type { Condition, ServiceConfig } from './services.ts';
export type { ListenerTlsConfig, TargetTlsConfig } from './tls.ts';
