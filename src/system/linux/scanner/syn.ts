// SYN scan: packets of our own over a raw socket.
import { ReeveError } from '../../../core/errors.ts';
import type { Prober, ScanTarget } from '../../scanner.ts';

export function createSynProber(_target: ScanTarget): Prober {
  throw new ReeveError('unsupported', 'not supported yet: scanning by SYN packets', {
    hint: 'Use --method connect',
  });
}
