// reeve completion: a script for the shell, which asks `reeve __complete` what may follow the words that are typed.
import { Argument, type Command } from 'commander';
import { exit } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import { completionScripts, type Shell, shells } from '../completion.ts';
import { action, command, type Define } from '../define.ts';

export const completionCommand: Define = (io) =>
  command(
    'completion',
    'print a completion script for your shell: commands, options, and what exists now (ports, leases, services…)',
    `
reeve completion bash >> ~/.bashrc
reeve completion zsh >> ~/.zshrc            after compinit; or > "\${fpath[1]}/_reeve"
reeve completion fish > ~/.config/fish/completions/reeve.fish
reeve completion powershell | Out-String | Invoke-Expression     a line of $PROFILE`,
  )
    .addArgument(new Argument('<shell>').choices(shells))
    .action(
      action<object>(io, async ([shell]) => {
        io.out(completionScripts[shell as Shell]);
        return exit.done;
      }),
    );

/** For the scripts alone: a word and a note a line, and silence where there is nothing to say. */
export const completeCommand: Define = (io, program: Command) =>
  command(
    '__complete',
    'what may follow the words that are typed, for completion',
    'reeve __complete :who :30',
  )
    .argument('[words...]')
    .action(
      action<object>(io, async (marked) => {
        const typed = marked.map((word) => word.slice(1));
        const [{ following }, { readValues }] = await Promise.all([
          import('../complete.ts'),
          import('../values.ts'),
        ]);
        const { words, ask, rest } = following(program, typed);
        const found = ask ? await readValues(ask, typed.at(-1) ?? '', io).catch(() => []) : [];
        for (const { text, note } of [...words, ...found]) {
          // A word with a space or a quote in it would be another word, or more, in the shell.
          if (/^[\w.:/[\]%@+=-]+$/.test(text)) io.out(`${text}\t${printable(note)}`);
        }
        io.out(`:${rest}`);
        return exit.done;
      }),
    );
