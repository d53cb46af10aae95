// Door of scan/: which ports of a host answer.
export { type ScanMethod, type ScanOptions, scan } from './scan.ts';
