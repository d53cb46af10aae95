// The native engine keeps the contract of engines, with a worker process built from its source.
import { describe } from 'vitest';
import { createNativeEngine } from '../../src/relay/index.ts';
import { engineContract } from '../contract/engine.ts';
import { bytesContract } from '../contract/engine-bytes.ts';
import { capsContract } from '../contract/engine-caps.ts';
import { intakeContract } from '../contract/engine-intake.ts';
import { limitsContract } from '../contract/engine-limits.ts';
import { bundled } from '../support/bundled.ts';
import { needs } from '../support/parts.ts';

const file = await bundled(new URL('../../src/relay/native/worker.ts', import.meta.url));

describe.runIf(needs('the native engine', 'linux'))('on Linux', () => {
  // PROXY headers of clients and TLS are the portable engine's alone.
  engineContract('native', (context) => createNativeEngine(context, { file, workers: 1 }), {
    greets: false,
  });

  // Turns are taken by each worker for itself; everything else holds however many there are.
  describe('three workers', () => {
    bytesContract((context) => createNativeEngine(context, { file, workers: 3 }));
    limitsContract((context) => createNativeEngine(context, { file, workers: 3 }));
    capsContract((context) => createNativeEngine(context, { file, workers: 3 }));
    intakeContract((context) => createNativeEngine(context, { file, workers: 3 }));
  });
});
