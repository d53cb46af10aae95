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
  io.out(`${io.colors.bold(endpoint)}: to free it`);
  for (const { action, subject } of plan.steps) io.out(`  ${verbs[action]} ${subject}`);
}

export function renderFreed(result: FreeResult, io: Io): void {
  const { colors } = io;
  const name = colors.bold(result.endpoint);
  switch (result.outcome) {
    case 'freed':
      io.out(`${colors.green('✓')} ${name} is free: ${result.proof}`);
      break;
    case 'already-free':
      io.out(`${colors.green('✓')} ${name} was free already: ${result.proof}`);
      break;
    case 'planned':
      io.out(`${name}: would`);
      for (const { action, subject } of result.plan) io.out(`  ${verbs[action]} ${subject}`);
      break;
    case 'refused':
      io.out(`${colors.yellow('!')} ${name} was left alone: ${result.reason}`);
      break;
    case 'failed':
      io.out(`${colors.red('✗')} ${name} is not free: ${result.reason}`);
  }
}
