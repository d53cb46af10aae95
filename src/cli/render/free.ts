// A plan to free a port, and what came of it.
import type { FreeResult } from '../../core/records.ts';
import type { PreparedFree } from '../../ports/index.ts';
import type { Io } from '../io.ts';

const verbs: Record<string, string> = {
  'stop-unit': 'stop',
  'stop-container': 'stop',
  terminate: 'end',
};

export function renderPlan({ endpoint, plan }: PreparedFree, io: Io): void {
  if (plan.kind !== 'stop') return;
  io.out(named(`${endpoint}: to free it`, endpoint, io));
  for (const { action, subject } of plan.steps) io.out(`  ${io.say(`${verbs[action]} ${subject}`)}`);
}

export function renderFreed(result: FreeResult, io: Io): void {
  const { colors } = io;
  const { endpoint, proof, reason } = result;
  const say = (text: string) => named(`${endpoint} ${text}`, endpoint, io);
  switch (result.outcome) {
    case 'freed':
      io.out(`${colors.green('✓')} ${say(`is free: ${proof}`)}`);
      break;
    case 'already-free':
      io.out(`${colors.green('✓')} ${say(`was free already: ${proof}`)}`);
      break;
    case 'planned':
      io.out(named(`${endpoint}: would`, endpoint, io));
      for (const { action, subject } of result.plan) io.out(`  ${io.say(`${verbs[action]} ${subject}`)}`);
      break;
    case 'refused':
      io.out(`${colors.yellow('!')} ${say(`was left alone: ${reason}`)}`);
      break;
    case 'failed':
      io.out(`${colors.red('✗')} ${say(`is not free: ${reason}`)}`);
  }
}

/** Every message about an endpoint begins with it, in every language. */
function named(text: string, endpoint: string, io: Io): string {
  return io.colors.bold(endpoint) + io.say(text).slice(endpoint.length);
}
