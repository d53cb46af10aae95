// Door of ports/: the verbs on a port.
export { askFirewall, type DoctorFacts, diagnose, type Finding } from './doctor.ts';
export { carryOut, type FreeOptions, planned, prepareFree } from './free.ts';
export type { PreparedFree } from './plan.ts';
export {
  expandHosts,
  type ManyOptions,
  parsePorts,
  type ScanMethod,
  type ScanOptions,
  type Selection,
  scan,
  scanMany,
  selectPorts,
} from './scan/index.ts';
export { type PortTarget, parsePortTarget, parseTarget, type Target } from './target.ts';
export { type Ask, type WaitOptions, waitFor } from './wait.ts';
export { type WhoChange, type WhoOptions, watchWho, who } from './who.ts';
export { type WhyOptions, why } from './why.ts';
