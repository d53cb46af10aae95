// The tree of commands, of all or of a few. A command's own work is imported only when it runs, so that each starts fast.
import { Command, Option } from 'commander';
import type { Define } from './define.ts';
import type { Io } from './io.ts';
import { languages } from './lang/choose.ts';
import { version } from './version.ts';

/** Under which heading the help of all shows each. */
const headings: Readonly<Record<string, string>> = {
  'Ports:': 'who why free top scan wait check',
  'Ports of your own:': 'lease leases release run',
  'The daemon:': 'up status events reload upgrade down service',
  'What it runs and reaches:': 'logs restart scale drain weight maintain services announce dial',
  'Your machine and shell:': 'doctor completion help',
};

function headingOf(name: string): string {
  return Object.keys(headings).find((heading) => headings[heading]!.split(' ').includes(name))!;
}

export function buildProgram(io: Io, commands: readonly Define[], hidden: readonly Define[] = []): Command {
  const program = new Command('reeve')
    .description(
      "Keeps this machine's network ports in order: who holds one, why a bind fails, freeing it, keeping services reachable.",
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help with examples')
    .addHelpCommand(
      new Command('help')
        .argument('[command]')
        .description('print help for a command')
        .helpGroup(headingOf('help')),
    )
    .option('--json', 'print JSON (docs/json.md)')
    .option('--no-color', 'no colour, as with NO_COLOR')
    .option('-q, --quiet', 'no summaries and notes')
    .addOption(
      new Option('--lang <language>', 'of why, free and doctor; zh is Simplified Chinese; by LANG').choices(
        languages,
      ),
    )
    .option('--elevate', 'before a command: run it as administrator (Windows asks), or show the sudo command')
    .showSuggestionAfterError()
    .showHelpAfterError('  → reeve --help')
    .configureHelp({
      showGlobalOptions: true,
      sortSubcommands: false,
      // Their operands are in the help of each; here they would leave no room for what it does.
      subcommandTerm: (each) => each.name(),
    })
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd().replace(/^error: /, `${io.colors.red('reeve:')} `)),
    })
    .exitOverride()
    .addHelpText('after', examples);
  for (const define of commands) {
    const command = dressed(define(io, program), program);
    program.addCommand(command.helpGroup(headingOf(command.name())));
  }
  for (const define of hidden) program.addCommand(define(io, program), { hidden: true });
  return program;
}

function dressed(command: Command, program: Command): Command {
  command.copyInheritedSettings(program).showHelpAfterError(`  → reeve ${command.name()} --help`);
  // Its own, or it would be in a group of the program's.
  if (command.commands.length > 0) command.helpCommand('help [command]', 'print help for a command');
  return command;
}

const examples = `
Examples:
  reeve who 3000           who listens on port 3000
  reeve why 80             why a bind to port 80 fails, and what to do
  reeve free 3000          stop whoever has port 3000, and prove it
  reeve run -- node app.js run a command on a port of its own
  reeve lease web          a port that stays the same and that nobody else gets
  reeve up -c reeve.yaml   run services behind balanced listeners

Exit codes: 0 done or yes, 1 no, 2 wrong usage or configuration, 3 more
privilege needed, 4 unknown, 5 timed out, 70 a fault in reeve. With several
targets, the worst.`;
