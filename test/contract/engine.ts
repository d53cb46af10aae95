// What every engine must do, proven over real sockets through the Engine interface alone.
import { describe } from 'vitest';
import { bytesContract } from './engine-bytes.ts';
import { choiceContract } from './engine-choice.ts';
import type { MakeEngine } from './engine-harness.ts';
import { intakeContract } from './engine-intake.ts';
import { limitsContract } from './engine-limits.ts';

export function engineContract(name: string, makeEngine: MakeEngine): void {
  describe(`${name} engine`, () => {
    bytesContract(makeEngine);
    choiceContract(makeEngine);
    limitsContract(makeEngine);
    intakeContract(makeEngine);
  });
}
