// Door of scan/: which ports of which hosts answer.
export { expandHosts } from './hosts.ts';
export { type ManyOptions, scanMany } from './many.ts';
export { type ScanMethod, type ScanOptions, scan } from './scan.ts';
export { parsePorts, type Selection, selectPorts } from './selection.ts';
