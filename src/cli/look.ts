// The command `reeve` with its questions about ports alone: a third of the code, for what is typed most. See launch.ts.
import { freeCommand } from './commands/free.ts';
import { whoCommand } from './commands/who.ts';
import { whyCommand } from './commands/why.ts';
import { main } from './main.ts';

const commands = [whoCommand, whyCommand, freeCommand];

void main(process.argv.slice(2), process, { commands }).then((code) => {
  process.exitCode = code;
});
