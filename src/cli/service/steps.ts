// What an installation consists of: steps that say what they do, and are undone when a later one fails.
import { errorMessage } from '../../core/errors.ts';
import type { Io } from '../io.ts';

export interface Step {
  words: string;
  /** False where it was so already: then there is nothing to undo. */
  carryOut(): boolean | undefined | Promise<boolean | undefined>;
  undo?(): void | Promise<void>;
}

export interface StepOptions {
  dryRun?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** @throws what the step that failed has thrown, with those before it undone. */
export async function carryOut(steps: Step[], io: Io, options: StepOptions): Promise<void> {
  const { colors } = io;
  const silent = options.quiet || options.json;
  const say = (mark: string, words: string) => silent || io.out(`${mark} ${words}`);
  const done: Step[] = [];
  const told: { step: string; outcome: 'planned' | 'done' | 'already' | 'failed' | 'undone' }[] = [];
  const tell = (step: string, outcome: (typeof told)[number]['outcome'], mark: string, words = step) => {
    told.push({ step, outcome });
    say(mark, words);
  };
  try {
    for (const step of steps) {
      if (options.dryRun) {
        tell(step.words, 'planned', colors.dim('·'));
        continue;
      }
      try {
        const changed = await step.carryOut();
        if (changed !== false) done.push(step);
        if (changed === false) tell(step.words, 'already', colors.dim('='), `${step.words}: so already`);
        else tell(step.words, 'done', colors.green('✓'));
      } catch (error) {
        tell(step.words, 'failed', colors.red('✗'));
        for (const each of done.toReversed()) {
          if (!each.undo) continue;
          await Promise.resolve(each)
            .then((step) => step.undo?.())
            .then(
              () => tell(each.words, 'undone', colors.yellow('↩'), `undone: ${each.words}`),
              (failure) => io.err(`not undone: ${each.words}: ${errorMessage(failure)}`),
            );
        }
        throw error;
      }
    }
  } finally {
    if (options.json) io.out(JSON.stringify({ steps: told }, null, 2));
  }
}
