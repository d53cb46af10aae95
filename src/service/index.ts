// Door of service/: the daemon as a service of the operating system, in the form that each system reads.
export { type Profile, profiles, type ServiceDefinition, serviceName } from './definition.ts';
export { labelOf, renderPlist } from './launchd.ts';
export { renderScm, scmDefinition } from './scm.ts';
export { renderUnit } from './systemd.ts';
