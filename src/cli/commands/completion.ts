// reeve completion: a script for the shell, made from the command tree itself; and the values that such a script asks for.
import type { Command } from 'commander';
import { exit, ReeveError } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import { type CommandWords, completionScript, isShell, type OptionWords, shells } from '../completion.ts';
import { action, command, type Define } from '../define.ts';
import { valuesOf } from '../values.ts';

export const completionCommand: Define = (io, program) =>
  command(
    'completion',
    'print a completion script for your shell: commands, options, and what exists now (ports, leases, services…)',
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
        const shown = program.commands.filter((each) => each.name() !== hiddenName);
        io.out(completionScript(shell, shown.map(words), optionWords(program)));
        return exit.done;
      }),
    );

const hiddenName = '__values';

/** For the scripts alone: a word and a note a line, and silence where there is nothing to say. */
export const valuesCommand: Define = (io) =>
  command(hiddenName, 'what exists now, for completion', 'reeve __values ports')
    .argument('<kind>')
    .action(
      action<object>(io, async ([kind]) => {
        const { readValues } = await import('../values.ts');
        for (const { text, note } of await readValues(kind!, io).catch(() => [])) {
          // A word with a space or a quote in it would be another word, or more, in the shell.
          if (/^[\w.:/[\]%@+-]+$/.test(text)) io.out(`${text}\t${printable(note)}`);
        }
        return exit.done;
      }),
    );

function words(each: Command): CommandWords {
  const name = each.name();
  return {
    name,
    description: each.description(),
    options: optionWords(each),
    words: name === 'completion' ? [...shells] : each.commands.map((inner) => inner.name()),
    values: valuesOf[name] ?? null,
  };
}

function optionWords(each: Command): OptionWords[] {
  return each.options.flatMap(({ long, description }) => (long ? [{ name: long, description }] : []));
}
