// What every engine must do, proven over real sockets through the Engine interface alone.
import { describe } from 'vitest';
import { bytesContract } from './engine-bytes.ts';
import { capsContract } from './engine-caps.ts';
import { choiceContract } from './engine-choice.ts';
import { handshakeContract } from './engine-handshake.ts';
import type { MakeEngine } from './engine-harness.ts';
import { intakeContract } from './engine-intake.ts';
import { limitsContract } from './engine-limits.ts';
import { acceptProxyContract, announceContract } from './engine-proxy.ts';
import { targetTlsContract } from './engine-target-tls.ts';
import { tlsContract } from './engine-tls.ts';

/** `intake` and `greets` are false for an engine that leaves sinks, and PROXY headers and TLS, to the portable one. */
export function engineContract(
  name: string,
  makeEngine: MakeEngine,
  { intake = true, greets = true } = {},
): void {
  describe(`${name} engine`, () => {
    bytesContract(makeEngine);
    choiceContract(makeEngine);
    limitsContract(makeEngine);
    capsContract(makeEngine);
    if (intake) intakeContract(makeEngine);
    if (greets) {
      announceContract(makeEngine);
      acceptProxyContract(makeEngine);
      tlsContract(makeEngine);
      handshakeContract(makeEngine);
      targetTlsContract(makeEngine);
    }
  });
}
