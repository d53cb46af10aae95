// What every engine must do, proven over real sockets through the Engine interface alone.
import { describe } from 'vitest';
import { bytesContract } from './engine-bytes.ts';
import { choiceContract } from './engine-choice.ts';
import type { MakeEngine } from './engine-harness.ts';
import { intakeContract } from './engine-intake.ts';
import { limitsContract } from './engine-limits.ts';

/** `intake: false` for an engine that leaves listeners with a sink to the portable one. */
export function engineContract(name: string, makeEngine: MakeEngine, { intake = true } = {}): void {
  describe(`${name} engine`, () => {
    bytesContract(makeEngine);
    choiceContract(makeEngine);
    limitsContract(makeEngine);
    if (intake) intakeContract(makeEngine);
  });
}
