// Door of ports/: the verbs on a port.
export { askFirewall, type DoctorFacts, diagnose, type Finding } from './doctor.ts';
export { carryOut, type FreeOptions, planned, prepareFree } from './free.ts';
export type { PreparedFree } from './plan.ts';
export { expandHosts, parsePorts, type ScanOptions, scan, scanMany, selectPorts } from './scan/index.ts';
export { parsePortTarget, parseTarget, type Target } from './target.ts';
export { type Ask, waitFor } from './wait.ts';
export { type WhoChange, type WhoOptions, watchWho, who } from './who.ts';
export { type WhyOptions, why } from './why.ts';
