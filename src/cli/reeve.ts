// The command `reeve`, with every command.
import { commands, hidden } from './commands/index.ts';
import type { Io } from './io.ts';
import { main } from './main.ts';

const glance = async (io: Io) => (await import('./overview.ts')).overview(io);

void main(process.argv.slice(2), process, { commands, hidden, glance }).then((code) => {
  process.exitCode = code;
});
