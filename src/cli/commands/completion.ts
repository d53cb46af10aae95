// reeve completion: a script for the shell, made from the command tree itself.
import type { Command } from 'commander';
import { exit, ReeveError } from '../../core/errors.ts';
import { type CommandWords, completionScript, isShell, shells } from '../completion.ts';
import { action, command, type Define } from '../define.ts';

export const completionCommand: Define = (io, program) =>
  command(
    'completion',
    'print a completion script for your shell',
    `
reeve completion bash > ~/.local/share/bash-completion/completions/reeve
reeve completion zsh > "\${fpath[1]}/_reeve"
reeve completion fish > ~/.config/fish/completions/reeve.fish
reeve completion powershell >> $PROFILE`,
  )
    .argument('<shell>', shells.join(', '))
    .action(
      action<object>(io, async ([shell]) => {
        if (!isShell(shell!))
          throw new ReeveError('usage', `no completion for '${shell}': there is ${shells.join(', ')}`);
        io.out(completionScript(shell, program.commands.map(words), optionWords(program)));
        return exit.done;
      }),
    );

function words(each: Command): CommandWords {
  return { name: each.name(), description: each.description(), options: optionWords(each) };
}

function optionWords(each: Command): CommandWords['options'] {
  return each.options.flatMap(({ long, description }) => (long ? [{ name: long, description }] : []));
}
