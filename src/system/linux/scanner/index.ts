// Scanning on Linux: by connecting, and by packets of our own.
import type { Scanner } from '../../scanner.ts';
import { createConnectProber } from './connect.ts';
import { createSynProber } from './syn.ts';

export function createScanner(): Scanner {
  return { connect: createConnectProber, syn: createSynProber };
}
